"""Specs as the configurations of other frameworks. A file here is a target of `olm export`.

Its `TARGET` writes the text of a run. To add one, copy a file. A text has the rates of the spec at
every step of the run, or the spec is refused with the nearest that the framework can do.
"""
