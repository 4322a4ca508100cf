"""The CPU time of another process, finer than /proc tells it.

``/proc/PID/stat`` counts in ticks of 10 ms; the process's own CPU clock, which any process may
read (clock_getcpuclockid(3)), counts in nanoseconds.  Linux only.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_SETTLED = 0.002
"""CPU seconds within a look that count as rest: a timer, an idle event loop."""

_LOOK = 0.05
"""Seconds between two looks at a process that is to come to rest."""


def _clock_of(pid: int) -> int:
    clock = ctypes.c_int()
    error = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise ProcessLookupError(error, os.strerror(error))
    return clock.value


def family(pid: int) -> Iterator[int]:
    """Return ``pid`` and all its living descendants."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def _of_ended_children(pid: int) -> float:
    # What follows the name, which may have spaces: fields 3 and on of proc_pid_stat(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return user and system time so far of a process, all its threads and its descendants.

    Raises ProcessLookupError if there is no such process.
    """
    try:
        return sum(
            time.clock_gettime(_clock_of(each)) + _of_ended_children(each) for each in family(pid)
        )
    except OSError as error:
        raise ProcessLookupError(f"process {pid} is gone") from error


def cpu_at_rest(
    pid: int,
    timeouts: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> float:
    """Wait until the process has nothing left to do, and return its CPU seconds then.

    A client believes itself secured while the server has yet to verify its certificate and to
    connect to its backend; without this wait the last handshakes would count as sending.  Gives
    up waiting after ``timeouts`` seconds.
    """
    deadline = clock() + timeouts
    spent = cpu_seconds(pid)
    while clock() < deadline:
        sleep(_LOOK)
        before, spent = spent, cpu_seconds(pid)
        if spent - before < _SETTLED:
            break
    return spent
