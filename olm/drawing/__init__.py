"""Arrays, marks and labels to SVG and braille. Knows no schedule."""
