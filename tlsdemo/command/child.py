"""``python -m tlsdemo.command.child``: twistd as a child, which never outlives its parent."""

from __future__ import annotations

import os
import signal
import sys
import threading

from twisted.scripts import twistd


def main() -> None:
    """Run twistd with our arguments, until it ends or our standard input does."""
    # Ctrl-C goes to every process of a terminal; the parent decides what it means.
    os.setsid()
    threading.Thread(target=_end_with_input, daemon=True).start()
    twistd.run()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
