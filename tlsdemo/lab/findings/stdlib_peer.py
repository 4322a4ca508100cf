"""Foreign peers: plain TCP connections with the standard library's TLS.

What Twisted does is seen from outside with them, and bytes can be put into one segment or left out.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tlsdemo.lab.findings.recording_protocols import nothing

APPLICATION_DATA = 23
"""The type of a TLS record that carries data, or in TLS 1.3 anything at all (RFC 8446, 5.1)."""

CLOSE_NOTIFY = b"\x15\x03\x03\x00\x02\x01\x00"
"""An alert in the clear, as it stands in a record (RFC 8446, 6.1)."""


class Peer(Protocol):
    """A foreign peer: bytes of the wire, and TLS on top of them once it is asked for.

    Attributes:
        wire: All that came in, as it was on the wire.
        clear: All that came in through TLS.
        tls: The TLS of the standard library, if there is any.
        complete: True once its handshake is complete.
        error: What its TLS failed with.
        reason: Why the connection was lost.
        hold: True to keep back what TLS has to say, until :meth:`flush`.
    """

    transport: Any

    def __init__(self) -> None:
        self.wire = b""
        self.clear = b""
        self.tls: ssl.SSLObject | None = None
        self.complete = False
        self.error: ssl.SSLError | None = None
        self.reason: BaseException | None = None
        self.hold = False
        self.on_made: Callable[[], object] = nothing
        self.on_wire: Callable[[], object] = nothing
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    def start_tls(
        self,
        context: ssl.SSLContext,
        server: bool = False,
        session: ssl.SSLSession | None = None,
        name: str = "localhost",
    ) -> None:
        """Begin a handshake; what comes in from now on is TLS."""
        self.tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server,
            server_hostname=None if server else name,
            session=session,
        )
        self._advance()

    def connectionMade(self) -> None:
        """Begin, if there is something to begin with."""
        self.on_made()

    def dataReceived(self, data: bytes) -> None:
        """Take bytes of the wire."""
        self.wire += data
        if self.tls is not None:
            self._incoming.write(data)
            self._advance()
        self.on_wire()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note the reason."""
        self.reason = reason.value

    @property
    def lost(self) -> bool:
        """True once the connection is lost."""
        return self.reason is not None

    def send(self, *pieces: bytes) -> None:
        """Send each piece in a TLS record of its own, all of them in one segment."""
        assert self.tls is not None
        for piece in pieces:
            self.tls.write(piece)
        self._advance()

    def close_tls(self) -> None:
        """Send close_notify."""
        assert self.tls is not None
        with suppress(ssl.SSLError):  # it wants to read the other's
            self.tls.unwrap()
        self.flush()

    def taken(self) -> bytes:
        """Return what TLS has to say, instead of sending it."""
        return self._outgoing.read()

    def flush(self) -> None:
        """Send what TLS has to say, in one segment."""
        if (data := self.taken()) and self.transport is not None:
            self.transport.write(data)

    def _advance(self) -> None:
        assert self.tls is not None
        try:
            if not self.complete:
                self.tls.do_handshake()
                self.complete = True
            while data := self.tls.read(1 << 16):
                self.clear += data
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError as error:
            self.error = self.error or error
        if not self.hold:
            self.flush()


def records(wire: bytes) -> list[tuple[int, int]]:
    """Return type and length of each whole TLS record in ``wire``."""
    found, at = [], 0
    while at + 5 <= len(wire):
        length = int.from_bytes(wire[at + 3 : at + 5], "big")
        if at + 5 + length <= len(wire):
            found.append((wire[at], length))
        at += 5 + length
    return found
