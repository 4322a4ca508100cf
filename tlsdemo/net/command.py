"""Run a program to its end without a reactor, and leave none of its children behind."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPORT_EVERY = 10.0
"""Seconds between two calls of ``waiting``."""

END_WITHIN = 5.0
"""Seconds between SIGTERM and SIGKILL; a CI system gives us little more itself."""


class CommandFailed(Exception):
    """A program could not be started, or took too long; the text is one line."""


@dataclass(frozen=True)
class CompletedCommand:
    """The exit status of a program, a signal's number negated, and what it printed."""

    status: int
    output: str


def run_command(
    arguments: Sequence[str],
    timeout: float,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    separate_errors: bool = False,
    waiting: Callable[[float], object] = lambda _seconds: None,
    line: Callable[[str], object] = lambda _line: None,
) -> CompletedCommand:
    """Run a program for at most ``timeout`` seconds, without any input.

    Standard error is part of the output, or goes to ours with ``separate_errors``.  ``waiting`` is
    called every `REPORT_EVERY` seconds with the number of seconds that have passed, ``line`` with
    each line of the output when it has been printed.  ``env`` and
    ``cwd`` are ours by default.

    Raises CommandFailed if the program cannot be started or takes too long.  Then, and if
    ``waiting`` raises or Ctrl-C is typed, it is ended together with all that it has started: by
    SIGTERM, so that it can remove its files, and after `END_WITHIN` seconds by SIGKILL.
    """
    try:
        # In a session of its own the program leads a process group, which can be killed as a whole,
        # and Ctrl-C reaches us alone.
        process = subprocess.Popen(
            list(arguments), env=env, cwd=cwd, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=None if separate_errors else subprocess.STDOUT,
        )  # fmt: skip
    except OSError as problem:
        raise CommandFailed(f"cannot start {arguments[0]}: {problem.strerror}") from None
    try:
        output = _output(process, arguments[0], timeout, waiting, line)
    except BaseException:
        # It may have exited itself, and what it has started still holds the pipe.  It has not been
        # reaped, so its number is still that of its group.
        if process.returncode is None:
            try:
                _signal_group(process, signal.SIGTERM)
                _drain(process)
            finally:
                _signal_group(process, signal.SIGKILL)
        raise
    finally:
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    return CompletedCommand(process.returncode, output.decode(errors="replace"))


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    # macOS refuses a signal to a group of which all have exited.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _drain(process: subprocess.Popen[bytes]) -> None:
    """Wait until nobody holds the pipe any more, for `END_WITHIN` seconds at most."""
    assert process.stdout is not None
    end = time.monotonic() + END_WITHIN
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0 and selector.select(left):
            if not os.read(process.stdout.fileno(), 1 << 16):
                return


def _output(
    process: subprocess.Popen[bytes],
    name: str,
    timeout: float,
    waiting: Callable[[float], object],
    line: Callable[[str], object],
) -> bytes:
    assert process.stdout is not None
    output, began = bytearray(), time.monotonic()
    reported, passed_on = began, 0
    late = CommandFailed(f"{name} did not end within {timeout:.0f} s")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if now - began >= timeout:
                raise late
            if now - reported >= REPORT_EVERY:
                reported = now
                waiting(now - began)
            if selector.select(max(0.0, min(reported + REPORT_EVERY, began + timeout) - now)):
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    break
                output += data
                while (end := output.find(b"\n", passed_on)) >= 0:
                    line(output[passed_on:end].decode(errors="replace"))
                    passed_on = end + 1
    try:
        process.wait(max(0.0, began + timeout - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise late from None
    return bytes(output)
