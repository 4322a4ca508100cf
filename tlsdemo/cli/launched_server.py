"""A server in a process of its own, for ``tlsdemo run`` and for the benchmarks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.task import deferLater

from tlsdemo.loadgen.status_client import StatusClient
from tlsdemo.net.child_process import ChildProcess, environment
from tlsdemo.net.runtime_folder import make_short

START_WITHIN = 30.0
"""Seconds until a started server has to answer."""

STOP_WITHIN = 10.0
"""Seconds until a server that does not exit is killed."""

_LOG_KEPT = 1 << 16
"""Bytes of its log that are kept."""

TWISTD_CHILD = ("-m", "tlsdemo.cli.twistd_child")
"""Arguments of Python that run a twistd which ends with its parent."""


class CannotLaunch(Exception):
    """The server did not start; the text is one line that says why."""


@dataclass(frozen=True)
class Place:
    """Where a server runs: the path of its Python, the variables and directory of its process.

    ``twistd``: arguments of that Python which run twistd.
    """

    python: str = sys.executable
    variables: Mapping[str, str] = field(default_factory=environment)
    twistd: Sequence[str] = TWISTD_CHILD
    cwd: Path | None = None


class LaunchedServer:
    """``twistd tlsdemo`` with ``arguments``, on a port that the system chooses.

    ``place`` is the Python to run it with, by default this one.  ``pages``: whether it has pages,
    at the UNIX socket ``web``.  ``connect`` and ``status`` are the
    client endpoint strings of the server and of its status service, once it is running.
    """

    def __init__(
        self,
        reactor: Any,
        arguments: Sequence[str],
        place: Place | None = None,
        pages: bool = False,
    ) -> None:
        self._reactor = reactor
        self._place = place or Place()
        self._home = make_short()
        self.web = str(self._home / "web")
        web = [f"--web=unix:{quoteStringArgument(self.web)}"] if pages else []
        self._arguments = [*arguments, *web]
        self._child: ChildProcess | None = None
        self.status = f"unix:{quoteStringArgument(str(self._home / 'status'))}"
        self.connect = ""

    @property
    def pid(self) -> int:
        """The process ID of the server, which has to have been started."""
        assert self._child is not None
        return self._child.pid

    async def start(self) -> None:
        """Start the server, and return when it listens; raises CannotLaunch."""
        try:
            child = self._child = self._spawn()
        except OSError as problem:
            await self.stop()
            raise CannotLaunch(f"the server did not start: {problem.strerror}") from None
        deadline = self._reactor.seconds() + START_WITHIN
        while child.returncode is None and self._reactor.seconds() < deadline:
            status_client = StatusClient(self._reactor, self.status)
            try:
                self.connect = (await status_client.listening())[0]
            except Exception:
                # It does not listen yet, or it has exited.
                await deferLater(self._reactor, 0.05, lambda: None)
                continue
            finally:
                status_client.close()
            return
        reason = child.last_line
        await self.stop()
        raise CannotLaunch(f"the server did not start: {reason or 'no output'}")

    def _spawn(self) -> ChildProcess:
        return ChildProcess(
            self._reactor,
            [
                *(self._place.python, *self._place.twistd, "-n", "--pidfile=", "tlsdemo"),
                "--listen=tcp:0:interface=127.0.0.1",
                f"--status={self.status}",
                *self._arguments,
            ],
            env=self._place.variables,
            cwd=self._place.cwd,
            keep=_LOG_KEPT,
        )

    async def stop(self) -> str:
        """Stop the server, and return the end of its log."""
        if self._child is not None:
            await self._child.stop(STOP_WITHIN)
        shutil.rmtree(self._home, ignore_errors=True)
        return "" if self._child is None else self._child.output
