"""``python -m olm.cli`` is the command `olm`."""

from olm.cli import script

if __name__ == "__main__":
    script()
