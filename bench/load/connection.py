"""One client connection: TLS in memory over a socket that does not block."""

from __future__ import annotations

import socket
from itertools import repeat
from typing import Any

from OpenSSL import SSL

_READ = 1 << 16
_MOST = 1 << 31


class Refused(Exception):
    """The peer ended the connection; the text says how."""


class Connection:
    """A connection to ``port`` of 127.0.0.1, which begins with its ClientHello.

    ``session``: an earlier session to resume.
    """

    def __init__(self, context: SSL.Context, port: int, session: Any = None) -> None:
        self._tls = SSL.Connection(context, None)
        if session is not None:
            self._tls.set_session(session)
        self._tls.set_connect_state()
        self.secured = False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(("127.0.0.1", port))

    @property
    def tls(self) -> SSL.Connection:
        """The OpenSSL connection."""
        return self._tls

    def fileno(self) -> int:
        """Return the number of the socket's descriptor."""
        return self.socket.fileno()

    # The handshake.

    def begin(self) -> None:
        """Send the ClientHello: the socket is connected."""
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise Refused(f"connecting failed with error {error}")
        self._shake()

    def read(self) -> bytes:
        """Read once; return the cleartext, b"" also while the handshake goes on.

        Raises Refused at the end of the stream, and at an alert.
        """
        try:
            data = self.socket.recv(_READ)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise Refused(str(error)) from None
        if not data:
            raise Refused("the peer has closed")
        self._tls.bio_write(data)
        if not self.secured:
            self._shake()
        return self._cleartext() if self.secured else b""

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
            self.secured = True
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            raise Refused(f"TLS: {error}") from None
        self._send_all(self._take())

    def _cleartext(self) -> bytes:
        parts = []
        try:
            while True:
                parts.append(self._tls.recv(_READ))
        except SSL.WantReadError:
            return b"".join(parts)
        except (SSL.Error, SSL.SysCallError) as error:
            raise Refused(f"TLS: {error or 'closed'}") from None

    def _take(self) -> bytes:
        try:
            return self._tls.bio_read(_MOST - 1)
        except SSL.WantReadError:
            return b""

    def _send_all(self, data: bytes) -> None:
        # A handshake's flight fits into any send buffer.
        try:
            if data and self.socket.send(data) != len(data):
                raise Refused("the send buffer is full")
        except OSError as error:
            raise Refused(str(error)) from None

    # The records.

    def send(self, data: bytes) -> None:
        """Send a short record at once."""
        self._tls.send(data)
        self._send_all(self._take())

    def encrypt(self, size: int, count: int) -> bytes:
        """Return ``count`` records of ``size`` bytes each, which have to be sent next.

        The loop calls OpenSSL's own function: with pyOpenSSL's it would take twice as long.
        """
        payload = b"x" * size
        write, handle = SSL._lib.SSL_write, self._tls._ssl  # type: ignore[attr-defined]
        for _ in repeat(None, count):
            write(handle, payload, size)
        return self._take()

    def close(self) -> None:
        """Close the socket, with an RST: nobody waits for the rest, and no port stays taken."""
        # Otherwise OpenSSL takes the session for a bad one, which cannot be resumed again.
        self._tls.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()
