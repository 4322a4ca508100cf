"""The steps of one load connection, with their times: its observer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.reporting import latencies
from tlsdemo.tls import Mode

UNKNOWN = "unknown group"
"""The group of a handshake whose group this version of pyOpenSSL does not tell."""


class ConnectionSteps:
    """Measures the steps of a connection that was ``due`` then.

    ``negotiates``: whether plaintext is exchanged before TLS.  ``group``: that of the handshake,
    once the connection is secure.  ``confirmed``: whether the server has proved that it accepted
    us.  ``resumed``: whether it resumed a session.  ``send_hello`` is called when the ClientHello
    has been written, but not in mode ``wrapped``.
    """

    detailed = True
    # They would cost a part of each handshake that others can feel.
    states = False
    send_hello: Callable[[], object] | None = None

    def __init__(self, recorder: Recorder, due: float, mode: Mode, negotiates: bool) -> None:
        self._recorder = recorder
        self._due = due
        self._called = mode.called
        # In mode wrapped, the ClientHello comes later.
        self._returned = mode.returned if mode.allows_negotiation else None
        self._negotiates = negotiates
        self._step_began = due
        self._hello_sent = True
        self._completed = False
        self._certificate_read = False
        self._connection: Any = None
        # Not the ConnectionInfo: one that is kept finds out everything when the connection ends.
        self.group: str | None = None
        self.confirmed = False

    @property
    def resumed(self) -> bool:
        """Whether the handshake resumed a session, in which a server sends no certificate."""
        return self.group is not None and not self._certificate_read

    def session(self) -> Any:
        """Return the TLS session, which later connections can resume."""
        return None if self._connection is None else self._connection.get_session()

    # What the library calls.

    def event(self, name: str, **facts: Any) -> None:
        """Measure a step."""
        if name == "connected":
            self._record(latencies.CONNECT)
        elif name == self._called:
            if self._negotiates:
                self._record(latencies.UPGRADE)
            # What comes next is the ClientHello, which takes us some time.
            self._hello_sent = False
        elif name == "handshakeCompleted":
            self._completed = True
        elif name == "secure":
            self.group = facts["info"].group or UNKNOWN
            kind = self.group + (" resumed" if self.resumed else "")
            self._record(f"{latencies.HANDSHAKE}/{kind}")

    def detail(self, name: str, **facts: Any) -> None:
        """Send the ClientHello, and note when the server has accepted us, and sends data first."""
        if name == "certificate verified":
            # After the handshake it is that of the session, which has been resumed.
            self._certificate_read = not self._completed
        elif name == self._returned:
            if self.send_hello is not None:
                self.send_hello()
        elif name == "confirmed":
            self.confirm()
        elif name == "first bytes in":
            self.confirm()
            if not self._recorder.waited(self._due):
                self._recorder.record(latencies.FIRST_BYTE, self._due)

    def wire(self, sent: bool, data: bytes) -> None:
        """Begin the handshake with the ClientHello, as the server does (RFC 8446, section 2)."""
        if sent and not self._hello_sent:
            self._hello_sent = True
            self._step_began = self._recorder.now()

    def tls_created(self, connection: Any) -> None:
        """Keep OpenSSL's connection."""
        self._connection = connection

    def confirm(self) -> None:
        """Note, once, that the server has accepted us, and see nothing more of the wire."""
        if not self.confirmed:
            self.confirmed = True
            self._recorder.record(latencies.CONFIRMED, self._due)
            if self._connection is not None:
                # What would be seen from now on costs time for each packet.
                self._connection.observation = None

    def _record(self, name: str) -> None:
        self._recorder.record(name, self._due, self._step_began)
        self._step_began = self._recorder.now()
