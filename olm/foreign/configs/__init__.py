"""Configurations of other frameworks, as specs. A file here is a framework's format.

Its `FORMAT` defines the keys that identify the format, and their translation. To add
one, copy a file. A configuration is translated exactly or refused with the key and the reason, and
nothing in it is run, imported or evaluated.
"""
