"""The CPU time of another process, with a higher resolution than /proc has.

``/proc/PID/stat`` counts in ticks of 10 ms; the process's own CPU clock, which any process may
read (clock_getcpuclockid(3)), counts in nanoseconds.  Linux only.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_IDLE = 0.002
"""CPU seconds between two readings that count as idle: a timer, an idle event loop."""

_INTERVAL = 0.05
"""Seconds between two readings."""


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


def cpu_when_idle(
    pid: int,
    timeout: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> float:
    """Wait until the process is idle, and return its CPU seconds.

    Under TLS 1.3 a client's handshake is complete before the server has verified its certificate
    and connected to the backend; without this wait the last handshakes would count as sending.
    Waits no longer than ``timeout`` seconds.
    """
    deadline = clock() + timeout
    spent = cpu_seconds(pid)
    while clock() < deadline:
        sleep(_INTERVAL)
        before, spent = spent, cpu_seconds(pid)
        if spent - before < _IDLE:
            break
    return spent
