"""Learning-rate schedules as data."""
