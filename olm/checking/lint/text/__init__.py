"""Rules that need the text alone."""
