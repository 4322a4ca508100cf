"""``python -m tlsdemo.cli.twistd_child``: twistd as a child that does not outlive its parent."""

from __future__ import annotations

import os
import signal
import threading

from twisted.scripts import twistd


def main() -> None:
    """Run twistd with our arguments, until it exits or standard input is closed."""
    # Ctrl-C is sent to every process of the terminal's session; only the parent handles it.
    os.setsid()
    threading.Thread(target=_end_with_input, daemon=True).start()
    twistd.run()


def _end_with_input(descriptor: int = 0) -> None:
    # Not sys.stdin: Python would abort at exit while this thread holds its lock.
    while os.read(descriptor, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
