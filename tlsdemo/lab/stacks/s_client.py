"""``openssl s_client`` as a client: the one that can be asked for new keys, or a new handshake."""

from __future__ import annotations

import functools
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProcessProtocol
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.lab.stacks.stack_catalogue import Availability
from tlsdemo.lab.stacks.stack_process import StackEvent

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
        said = subprocess.run(
            [program, "version"], capture_output=True, text=True, timeout=_ASK_WITHIN, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return Availability("", "the openssl on the PATH does not run")
    return Availability(" ".join(said.split()[:2]))


@implementer(IProcessProtocol)
class SClient(ProcessProtocol):
    """One run: types ``key`` once it is ready, asks its question, and quits when it is answered.

    ``ended`` fires with the events when the program has ended, however it did.
    """

    def __init__(self, key: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Each is typed when the program has printed what stands before it.
        self._script = [
            (_READY, [(f"{key} typed", f"{key}\n")]),
            # It takes all that it reads at once for one command, so what is next has to wait.
            (_SAYS[key], [("question typed", f"{QUESTION}\n")]),
            (b"answer", [("answer received", ""), ("Q typed", "Q\n")]),
        ]
        self._output = b""
        self._over = False
        self.events: list[StackEvent] = []
        self.ended: Deferred[list[StackEvent]] = Deferred()

    def _happened(self, name: str) -> None:
        self.events.append(StackEvent(self._clock(), name, {}))

    def connectionMade(self) -> None:
        """Note that it has been started."""
        self._happened("started")

    def outReceived(self, data: bytes) -> None:
        """Type what is due."""
        self._output += data
        while self._script and self._script[0][0] in self._output:
            wanted, typed = self._script.pop(0)
            self._output = self._output.partition(wanted)[2]
            for name, words in typed:
                self._happened(name)
                self._type(words)

    def _type(self, words: str) -> None:
        transport: Any = self.transport
        transport.write(words.encode("ascii"))

    def errReceived(self, data: bytes) -> None:
        """Take it as part of what it says."""
        self.outReceived(data)

    def processEnded(self, reason: Failure) -> None:
        """Hand over the events."""
        self._over = True
        status = getattr(reason.value, "exitCode", None)
        self._happened("killed" if status is None else f"exited with status {status}")
        self.ended.callback(self.events)

    def kill(self) -> None:
        """End it, if it runs still."""
        if not self._over:
            transport: Any = self.transport
            transport.signalProcess("KILL")


def start_s_client(reactor: Any, port: int, tls: str, authority: str, key: str) -> SClient:
    """Have it connect to ``port`` of the loopback interface, with this version of TLS only.

    ``key``: what is typed before the question; K for a KeyUpdate, R for a renegotiation
    (openssl-s_client(1)).
    """
    program = shutil.which("openssl") or "openssl"
    command = [
        *(program, "s_client", "-connect", f"127.0.0.1:{port}", f"-tls{tls.replace('.', '_')}"),
        *("-CAfile", authority, "-verify_return_error", "-servername", "localhost"),
    ]
    protocol = SClient(key)
    reactor.spawnProcess(protocol, program, command, env=None)
    return protocol
