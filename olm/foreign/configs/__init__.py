"""Configurations of other frameworks, as specs. A file here is a framework's format.

Its `FORMAT` says how the format is told, which keys it has, and how they are translated. To add
one, copy a file. A configuration is translated exactly or refused with the key and the reason, and
nothing in it is run, imported or evaluated.
"""
