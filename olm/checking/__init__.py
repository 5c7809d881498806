"""All that can be wrong with a file, why, and how it is fixed."""
