"""The catalogue: every file here is a family of schedules. To add a kind, copy a file.

A file is imported when one of its kinds is looked up, by the table in `olm.schedule.families`,
which tools/generate.py writes.
"""

from olm.schedule.schedule import KINDS

GROUPS = ("warm-up", "decay", "cyclic", "building block", "composition", "metric-driven")
"""The groups of kinds, in the order of `olm kinds`. Every kind belongs to one of them."""

__all__ = ["GROUPS", "KINDS"]
