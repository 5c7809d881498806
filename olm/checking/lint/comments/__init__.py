"""Rules that need only the text of a document that has comments for them."""
