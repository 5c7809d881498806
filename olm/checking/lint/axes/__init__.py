"""Rules that need the steps of a document in which a schedule has an axis."""
