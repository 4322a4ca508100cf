"""``openssl s_client`` as a client: the one that can be asked for new keys, or a new handshake."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.lab.stacks.stack_catalogue import Availability
from tlsdemo.lab.stacks.stack_process import StackEvent
from tlsdemo.net.child_process import ChildProcess
from tlsdemo.net.command import CommandFailed, run_command

NAME = "openssl"

QUESTION = "question"

_ASK_WITHIN = 20.0

# What it prints last once the handshake is complete, and it reads what is typed.
_READY = b"\n---\n"

_SAYS = {"K": b"KEYUPDATE", "R": b"RENEGOTIATING"}
"""What it answers to a key."""


@functools.cache
def availability() -> Availability:
    """Say whether there is an ``openssl`` on the PATH, and which."""
    program = shutil.which("openssl")
    if program is None:
        return Availability("", "there is no openssl on the PATH")
    try:
        done = run_command([program, "version"], _ASK_WITHIN)
    except CommandFailed:
        done = None
    if done is None or done.status:
        return Availability("", "the openssl on the PATH does not run")
    return Availability(" ".join(done.output.split()[:2]))


class SClient:
    """One run: types ``key`` once it is ready, asks its question, and quits when it is answered.

    ``ended`` fires with the events when the program has ended, however it did.
    """

    def __init__(
        self,
        reactor: Any,
        command: Sequence[str],
        key: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        # Each is typed when the program has printed what stands before it.
        self._script = [
            (_READY, [(f"{key} typed", f"{key}\n")]),
            # It takes all that it reads at once for one command, so what is next has to wait.
            (_SAYS[key], [("question typed", f"{QUESTION}\n")]),
            (b"answer", [("answer received", ""), ("Q typed", "Q\n")]),
        ]
        self._output = b""
        self.events: list[StackEvent] = []
        self._child = ChildProcess(
            reactor, command, stdout=self._output_received, stderr=self._output_received
        )
        self._happened("started")
        self.ended: Deferred[list[StackEvent]] = self._child.wait().addCallback(self._ended)

    def _happened(self, name: str) -> None:
        self.events.append(StackEvent(self._clock(), name, {}))

    def _output_received(self, data: bytes) -> None:
        """Type what is due."""
        self._output += data
        while self._script and self._script[0][0] in self._output:
            wanted, typed = self._script.pop(0)
            self._output = self._output.partition(wanted)[2]
            for name, words in typed:
                self._happened(name)
                self._child.write(words.encode("ascii"))

    def _ended(self, returncode: int) -> list[StackEvent]:
        """Hand over the events."""
        killed = returncode < 0
        self._happened("killed" if killed else f"exited with status {returncode}")
        return self.events

    def kill(self) -> None:
        """End it, if it runs still."""
        self._child.kill()


def start_s_client(reactor: Any, port: int, tls: str, authority: str, key: str) -> SClient:
    """Have it connect to ``port`` of the loopback interface, with this version of TLS only.

    ``key``: what is typed before the question; K for a KeyUpdate, R for a renegotiation
    (openssl-s_client(1)).
    """
    command = [
        *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", f"-tls{tls.replace('.', '_')}"),
        *("-CAfile", authority, "-verify_return_error", "-servername", "localhost"),
    ]
    return SClient(reactor, command, key)
