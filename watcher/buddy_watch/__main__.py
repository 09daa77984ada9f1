"""`python -m buddy_watch`."""

import sys

from buddy_watch.cli import main

if __name__ == "__main__":
    sys.exit(main())
