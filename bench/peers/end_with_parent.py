"""``end_with_parent.py CPUS COMMAND …``: run a command that gets SIGTERM when its parent ends.

CPUS: the processors that it may use, such as ``0,2``, or ``all``.  The process becomes the
command, so its process ID stays the same.  Linux only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2): kept when another program is executed


def main() -> None:
    """Arrange for the signal, and execute what the arguments say."""
    # Ctrl-C goes to every process of a terminal; the benchmark decides what it means.
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    cpus, command = sys.argv[1], sys.argv[2:]
    if cpus != "all":
        os.sched_setaffinity(0, {int(each) for each in cpus.split(",")})
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
