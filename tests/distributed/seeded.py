"""Run a program with a different hash seed on each rank: `seeded.py PROGRAM ARGUMENTS...`."""

import os
import sys

if __name__ == "__main__":
    os.environ["PYTHONHASHSEED"] = str(int(os.environ["RANK"]) + 1)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
