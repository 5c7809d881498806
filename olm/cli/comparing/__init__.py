"""What ``olm diff`` is made of: its two sides, how they differ, and how that is told."""
