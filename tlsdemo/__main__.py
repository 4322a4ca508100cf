"""`python -m tlsdemo` is the same as the `tlsdemo` command."""

from __future__ import annotations

import sys

from tlsdemo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
