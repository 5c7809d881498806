"""What the root of a document says: a schedule, and where it stands."""
