"""``python -m tracegist``: the command line."""

import sys

from tracegist.cli import main

if __name__ == "__main__":
    sys.exit(main())
