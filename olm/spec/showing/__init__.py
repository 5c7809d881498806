"""Specs as words, key steps and pictures."""
