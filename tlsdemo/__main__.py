"""The ``tlsdemo`` command, also as ``python -m tlsdemo``.

Its modules take a while to import; Ctrl-C during that time is no traceback.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

_SIGNALLED = 128
"""Shells report this, plus the signal's number, for a command that a signal has ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit status."""
    try:
        from tlsdemo.cli.interruption import ENDING, interrupted_by

        with interrupted_by(*ENDING):
            from tlsdemo.cli.main import main

            return main(arguments)
    except KeyboardInterrupt as interruption:
        from tlsdemo.reporting.terminal import write_line

        write_line(sys.stderr, "tlsdemo: interrupted")
        return _SIGNALLED + getattr(interruption, "number", signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
