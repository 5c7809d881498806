"""The verbs of the command: a file here is one, check.py is ``olm check``."""
