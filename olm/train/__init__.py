"""torch: schedulers that step along a schedule."""
