"""Sends a ClientHello in two segments, and looks at what answers it.

Theory of operation.  A wrapper stands between the upgrade protocol and the socket, and sees every
byte of the wire.  What was handed to the socket before has been given to the kernel once the
reactor has been through one iteration; so each piece begins with a system call of its own, and
with TCP_NODELAY, which every connection has, with a segment of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IProtocol, IProtocolFactory, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure

PAUSE = 0.2
"""Seconds between the segments of a ClientHello, in which a server reads the first."""

_HANDSHAKE = b"\x16\x03"
"""How a record with a ClientHello begins (RFC 8446, section 5.1); no dialect says that."""

_RANDOM = slice(11, 43)
"""The random of a ServerHello at the beginning of what a server sends."""

_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a HelloRetryRequest (RFC 8446, section 4.1.3)."""


class _State(enum.Enum):
    BEFORE = "no ClientHello yet"
    CUT = "the first segment is on its way"
    SENT = "the ClientHello has been sent"


class _Wrapper(ProtocolWrapper):
    """The wire of one connection."""

    factory: SegmentedHello

    def __init__(self, factory: SegmentedHello, wrapped: IProtocol) -> None:
        super().__init__(factory, wrapped)  # type: ignore[arg-type, unused-ignore]
        self._state = _State.BEFORE
        self._rest = b""
        self._received = b""
        self._call: IDelayedCall | None = None

    def write(self, data: bytes) -> None:
        """Send ``data``; if it is the ClientHello, perhaps in pieces."""
        if self._state is _State.CUT:
            self._rest += data
        elif self._state is _State.BEFORE and data.startswith(_HANDSHAKE):
            self._say_hello(data)
        else:
            super().write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send several pieces as one."""
        self.write(b"".join(data))

    def _say_hello(self, hello: bytes) -> None:
        cut = self.factory.cut
        self.factory.size = len(hello)
        if not 0 < cut < len(hello):
            self._state = _State.SENT
            super().write(hello)
            return
        self._state = _State.CUT
        self.factory.was_cut = True
        self._rest = hello
        self._when_written(0.0, self._send_first)

    def _send_first(self) -> None:
        cut = self.factory.cut
        first, self._rest = self._rest[:cut], self._rest[cut:]
        super().write(first)
        self._when_written(PAUSE, self._send_rest)

    def _send_rest(self) -> None:
        self._state = _State.SENT
        rest, self._rest = self._rest, b""
        super().write(rest)

    def _when_written(self, pause: float, do: Callable[[], None]) -> None:
        """Call ``do`` a ``pause`` after the next iteration of the reactor, which writes."""
        clock = self.factory.clock

        def wait() -> None:
            self._call = clock.callLater(pause, do)

        self._call = clock.callLater(0, wait)

    def dataReceived(self, data: bytes) -> None:
        """Look at the beginning of what answers the ClientHello."""
        if self._state is not _State.BEFORE and len(self._received) < _RANDOM.stop:
            self._received += data[: _RANDOM.stop]
            self.factory.retried = self._received[_RANDOM] == _RETRY
        super().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Send no more."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        super().connectionLost(reason)


class SegmentedHello(WrappingFactory):
    """Wraps the factory of one client connection.

    ``cut``: bytes of the ClientHello in its first segment; 0 to leave it whole.

    Attributes:
        size: Bytes of the ClientHello's record, once it is sent.
        was_cut: Whether it is longer than ``cut``, and so has two segments.
        retried: Whether the server asked for another one (HelloRetryRequest).
    """

    protocol: Any = _Wrapper
    noisy = False

    def __init__(self, factory: IProtocolFactory, clock: IReactorTime, cut: int) -> None:
        super().__init__(factory)
        self.clock = clock
        self.cut = cut
        self.size = 0
        self.was_cut = False
        self.retried = False
