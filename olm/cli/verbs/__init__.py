"""The verbs of the command: check.py is ``olm check``."""
