"""The processes of the benchmark: they print JSON lines, and never outlive the command."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.affinity import ALL

ANSWER_WITHIN = 30.0
"""Seconds that a process may take to print its next line, unless the caller names others."""

STOP_WITHIN = 5.0
"""Seconds between SIGTERM and SIGKILL."""

_END_WITH_PARENT = (sys.executable, str(Path(__file__).parent / "peers" / "end_with_parent.py"))
_ERRORS_KEPT = 1 << 14
_LONGEST_LINE = 1 << 22


class CannotMeasure(Exception):
    """A peer cannot be measured; the text is one line that says why."""


class NotInstalled(CannotMeasure):
    """It is not installed, or its version lacks a feature: no fault of the run."""


class Child:
    """A process that prints JSON lines on its standard output, or nothing at all.

    Args:
        arguments: The program and its arguments.
        cpus: The processors that it may use, such as ``1`` or ``0,2``.
        env: Its environment, ours by default.
        cwd: Its working directory, ours by default.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        cpus: str = ALL,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._name = arguments[0]
        self._unread = b""
        # A file, not a pipe: nobody reads while the load runs, and a full pipe would stop it.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [*_END_WITH_PARENT, cpus, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0,
            env=None if env is None else dict(env), cwd=cwd,
        )  # fmt: skip
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def last_line(self) -> str:
        """The last line of its standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _ERRORS_KEPT))
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    @property
    def readable(self) -> bool:
        """Whether there is something that `line` would read, or it has ended."""
        return self._poll(0.0)

    def line(self, within: float = ANSWER_WITHIN) -> dict[str, Any]:
        """Return the next line; raises CannotMeasure if there is none ``within`` seconds."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + within
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            ready = self._poll(max(0.0, left))
            data = os.read(self._process.stdout.fileno(), _LONGEST_LINE) if ready else b""
            if not data or len(self._unread) > _LONGEST_LINE:
                raise CannotMeasure(self.last_line or f"{self._name} prints nothing")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _poll(self, timeout: float) -> bool:
        # Not select(2), which takes no descriptor beyond 1023.
        poll = select.poll()
        assert self._process.stdout is not None
        poll.register(self._process.stdout, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def tell(self, text: str = "") -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{text}\n".encode())
        except BrokenPipeError:
            raise CannotMeasure(self.last_line or f"{self._name} has ended") from None

    def close_input(self, within: float = ANSWER_WITHIN) -> None:
        """Close its standard input, and wait until it has ended by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise CannotMeasure(f"{self._name} does not end") from None

    def stop(self) -> None:
        """End it, unless it has ended by itself."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for each in (self._process.stdin, self._process.stdout, self._errors):
            each.close()
