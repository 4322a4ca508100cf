"""``python -m bench.peers.leash COMMAND …``: run a command that ends when its parent does.

It becomes the command, so the process keeps its number.  Linux only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2): kept when another program is executed


def main() -> None:
    """Tie this process to its parent, and become what the arguments say."""
    # Ctrl-C goes to every process of a terminal; the benchmark decides what it means.
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error.strerror}")


if __name__ == "__main__":
    main()
