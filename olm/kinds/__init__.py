"""The catalogue: every file here is a family of schedules. To add a kind, copy a file.

A file is imported when one of its kinds is asked for. `olm.schedule.families`, which
tools/generate.py writes, says which file that is.
"""

from olm.schedule.schedule import KINDS

GROUPS = ("warm-up", "decay", "cyclic", "building block", "composition", "metric-driven")
"""What people look for, in the order in which it is shown. Every kind is in one of them."""

__all__ = ["GROUPS", "KINDS"]
