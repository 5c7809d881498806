"""Rules that need the rates."""
