"""Run the command line by ``python -m skda``."""

import sys

from skda.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
