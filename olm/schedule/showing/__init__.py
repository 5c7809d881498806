"""Schedules as words, key steps and pictures."""
