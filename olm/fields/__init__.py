"""What a field takes, in which units and words, and what is said of what it does not take."""
