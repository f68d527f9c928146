"""`python -m sparring.cli`: the command line without the installed script."""

import sys

from sparring.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
