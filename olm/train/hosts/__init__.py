"""Adapters for the trainers that need one: a file for each, imported when it is used."""
