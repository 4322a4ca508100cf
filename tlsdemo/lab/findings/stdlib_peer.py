"""The other end of a connection: plain TCP, with the TLS of the standard library on top.

It shows from outside what Twisted does.  TLS runs over memory buffers, so a reproduction decides
which bytes share a segment, and which are never sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tlsdemo.lab.findings.recording_protocols import do_nothing

APPLICATION_DATA = 23
"""The content type of application data; TLS 1.3 hides all others behind it (RFC 8446, 5.2)."""

CLOSE_NOTIFY = b"\x15\x03\x03\x00\x02\x01\x00"
"""A close_notify alert in an unencrypted record (RFC 8446, 6.1)."""


class StdlibPeer(Protocol):
    """The other end of a connection; TLS begins with :meth:`start_tls`.

    Attributes:
        wire: Every byte received, as it was on the wire.
        handshake_bytes: How many bytes had been received when the handshake was complete.
        cleartext: Every byte received through TLS.
        tls: The TLS object of the standard library; None before TLS.
        handshake_completed: Whether this end's handshake is complete.
        close_notify_received: Whether the other end has sent close_notify.
        error: The first error of TLS.
        reason: Why the connection was lost.
        hold_output: True to keep the output of TLS until :meth:`flush`.
        on_connected: Called by ``connectionMade``.
        on_received: Called by ``dataReceived``, after TLS has processed the data.
    """

    transport: Any

    def __init__(self) -> None:
        self.wire = b""
        self.handshake_bytes = 0
        self.cleartext = b""
        self.tls: ssl.SSLObject | None = None
        self.handshake_completed = False
        self.close_notify_received = False
        self.error: ssl.SSLError | None = None
        self.reason: BaseException | None = None
        self.hold_output = False
        self.on_connected: Callable[[], object] = do_nothing
        self.on_received: Callable[[], object] = do_nothing
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    def start_tls(
        self,
        context: ssl.SSLContext,
        server: bool = False,
        session: ssl.SSLSession | None = None,
        name: str = "localhost",
    ) -> None:
        """Begin a handshake; what is received from now on is TLS."""
        self.tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server,
            server_hostname=None if server else name,
            session=session,
        )
        self._advance()

    def connectionMade(self) -> None:
        """Call ``on_connected``."""
        self.on_connected()

    def dataReceived(self, data: bytes) -> None:
        """Record the bytes, and feed TLS with them if it has begun."""
        self.wire += data
        if self.tls is not None:
            self._incoming.write(data)
            self._advance()
        self.on_received()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Record the reason."""
        self.reason = reason.value

    @property
    def lost(self) -> bool:
        """Whether the connection is lost."""
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
        with suppress(ssl.SSLError):  # It would like to wait for the other end's close_notify.
            self.tls.unwrap()
        self.flush()

    def take_output(self) -> bytes:
        """Return the output of TLS instead of sending it."""
        return self._outgoing.read()

    def flush(self) -> None:
        """Send the output of TLS in one segment."""
        if (data := self.take_output()) and self.transport is not None:
            self.transport.write(data)

    def _advance(self) -> None:
        assert self.tls is not None
        try:
            if not self.handshake_completed:
                self.tls.do_handshake()
                self.handshake_completed = True
                self.handshake_bytes = len(self.wire)
            while data := self.tls.read(1 << 16):
                self.cleartext += data
            # An empty result is the end of the stream.
            self.close_notify_received = True
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError as error:
            self.error = self.error or error
        if not self.hold_output:
            self.flush()


def records(wire: bytes) -> list[tuple[int, int]]:
    """Return the content type and the length of each complete TLS record in ``wire``."""
    found, at = [], 0
    while at + 5 <= len(wire):
        length = int.from_bytes(wire[at + 3 : at + 5], "big")
        if at + 5 + length <= len(wire):
            found.append((wire[at], length))
        at += 5 + length
    return found
