"""A module that exits."""

import sys

sys.exit(3)
