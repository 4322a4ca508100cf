"""Lets `python -m tlsdemo` do what the `tlsdemo` command does."""

from __future__ import annotations

import sys

from tlsdemo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
