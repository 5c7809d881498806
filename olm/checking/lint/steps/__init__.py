"""Rules that need the schedule in steps."""
