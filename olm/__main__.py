"""``python -m olm`` is the command `olm`."""

import sys

from olm.cli import main

if __name__ == "__main__":
    sys.exit(main())
