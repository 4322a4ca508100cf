"""The ``tlsdemo`` command, also as ``python -m tlsdemo``.

Its modules take a while to import; Ctrl-C during that time is no traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_INTERRUPTED_STATUS = 130
"""The exit status that shells report for a command that SIGINT has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit status."""
    try:
        from tlsdemo.cli.main import main

        return main(arguments)
    except KeyboardInterrupt:
        from tlsdemo.reporting.terminal import write_line

        write_line(sys.stderr, "tlsdemo: interrupted")
        return _INTERRUPTED_STATUS


if __name__ == "__main__":
    sys.exit(main())
