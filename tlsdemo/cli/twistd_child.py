"""``python -m tlsdemo.cli.twistd_child``: twistd as a child, which never outlives its parent."""

from __future__ import annotations

import os
import signal
import threading

from twisted.scripts import twistd


def main() -> None:
    """Run twistd with our arguments, until it ends or our standard input does."""
    # Ctrl-C goes to every process of a terminal; the parent decides what it means.
    os.setsid()
    threading.Thread(target=_end_with_input, daemon=True).start()
    twistd.run()


def _end_with_input() -> None:
    # Not through sys.stdin: its lock, held here, would make a Python that ends early abort.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
