"""The processes of the benchmark: they print JSON lines, and never outlive the command."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.net.child_process import ChildProcess, split_lines

ANSWER_WITHIN = 20.0
"""Seconds that a process may take to print its next line."""

STOP_WITHIN = 5.0
"""Seconds between SIGTERM and SIGKILL."""

END_WITH_PARENT = (sys.executable, str(Path(__file__).parent / "peers" / "end_with_parent.py"))
"""A command that runs another command, and ends it when its own parent ends."""


class CannotMeasure(Exception):
    """A peer cannot be measured; the text is one line that says why."""


class NotInstalled(CannotMeasure):
    """It is not installed, or its version lacks a feature."""


class Program:
    """A process that prints JSON lines on its standard output, or nothing at all."""

    def __init__(self, reactor: Any, arguments: Sequence[str]) -> None:
        self._reactor = reactor
        self._name = arguments[0]
        self._lines: deque[bytes] = deque()
        self._waiting: Deferred[None] | None = None
        self._child = ChildProcess(
            reactor, [*END_WITH_PARENT, *arguments], stdout=split_lines(self._line_received)
        )
        self._child.wait().addCallback(self._wake)
        self.pid = self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.returncode is None

    @property
    def last_line(self) -> str:
        """The last line of its standard error."""
        return self._child.last_line

    async def line(self) -> dict[str, Any]:
        """Return the next line; raises CannotMeasure if there is none within `ANSWER_WITHIN`."""
        timer = self._reactor.callLater(ANSWER_WITHIN, self._wake)
        while self.running and timer.active() and not self._lines:
            self._waiting = Deferred()
            await self._waiting
        if timer.active():
            timer.cancel()
        if not self._lines:
            raise CannotMeasure(self.last_line or f"{self._name} prints nothing")
        message: dict[str, Any] = json.loads(self._lines.popleft())
        return message

    async def ask(self) -> dict[str, Any]:
        """Write an empty line, and return the answer."""
        self._child.write(b"\n")
        return await self.line()

    def _line_received(self, line: bytes) -> None:
        self._lines.append(line)
        self._wake()

    def _wake(self, _returncode: int | None = None) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def stop(self) -> None:
        """End it, unless it has ended by itself."""
        await self._child.stop(STOP_WITHIN)
