"""What OpenSSL does on one connection, reported to an observer.

Theory of operation.  OpenSSL reports its states by the info callback
(SSL_CTX_set_info_callback(3ssl)).  Where pyOpenSSL cannot set that for one connection, it is set
for a context as a whole (:func:`observe_states`), and finds the connection that it was called for;
all the others of that context then pay for it.  The bytes of the wire are seen where the TLS layer
writes and reads them, which is alike in every mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from OpenSSL import SSL
from OpenSSL.crypto import X509

from tlsdemo.tls.observer import Observer

if TYPE_CHECKING:
    from tlsdemo.tls.tls_connection import TLSConnection

STATES_OF_ONE = hasattr(SSL.Connection, "set_info_callback")
"""Whether a connection can be observed alone: pyOpenSSL 24.2 has this for contexts only."""

_CLOSE_NOTIFY = 0
_STATE, _WRITE = SSL.SSL_CB_LOOP, SSL.SSL_CB_WRITE
_ALERT, _DONE = SSL.SSL_CB_ALERT, SSL.SSL_CB_HANDSHAKE_DONE


class HandshakeObservation:
    """Reports what happens to ``connection``, and knows what is true of it at the moment.

    ``confirmed`` is reported once, to a client only: the proof that its server has accepted it,
    which in TLS 1.3 comes after the handshake (RFC 8446, section 4.4.2.4 and appendix E.1.6).
    """

    def __init__(self, observer: Observer, connection: TLSConnection, is_client: bool) -> None:
        self._observer = observer
        self._connection = connection
        self._confirmed = not is_client
        self._unwritten = False
        self._complete = False
        self._state = ""
        self._resumed = False
        self.wire_ended = False
        observer.tls_created(connection)
        if STATES_OF_ONE:
            connection.set_info_callback(_changed)

    @property
    def flight_written(self) -> bool:
        """Whether all that OpenSSL has had to say has been written to the transport."""
        return not self._unwritten

    @property
    def can_write(self) -> bool:
        """Whether what the application would write now would be sent."""
        closed = self.wire_ended or self._connection.get_shutdown() & SSL.SENT_SHUTDOWN
        return self._complete and not closed

    def received(self, data: bytes) -> None:
        """Bytes have come from the wire."""
        self._observer.wire(False, data)

    def sent(self, data: bytes) -> None:
        """Bytes are going to the wire."""
        self._observer.wire(True, data)

    def nothing_to_send(self) -> None:
        """OpenSSL has no more bytes for the wire."""
        self._unwritten = False

    def confirmed(self) -> None:
        """The server has sent something that it sends only to a client that it has accepted."""
        if not self._confirmed:
            self._confirmed = True
            self._observer.detail("confirmed")

    def chain_rejected(self, number: int) -> None:
        """The certificate's chain has been rejected, with an ``X509_V_ERR_`` number."""
        self._observer.detail("certificate rejected", error=number)

    def name_verified(self, certificate: X509 | None, good: bool, expected: bool) -> None:
        """The chain is good, and the name has been verified if one is ``expected``."""
        if certificate is not None and (expected or not self._complete):
            subject = certificate.to_cryptography().subject.rfc4514_string()
            name = "certificate verified" if good else "certificate rejected"
            self._observer.detail(name, subject=subject)

    def handshake_resumed(self) -> None:
        """OpenSSL is about to go on; it reports again the state that it had reached."""
        self._resumed = True

    def changed(self, where: int, value: int) -> None:
        """OpenSSL's info callback has been called."""
        state = self._connection.get_state_string().decode()
        if where & _ALERT:
            self._alert(where, value)
        elif where & _STATE:
            self._reached(state)
        elif where & _DONE and not self._complete:
            self._complete = True
            self._observer.detail("OpenSSL state", state="handshake done")
            if self._connection.get_protocol_version() < SSL.TLS1_3_VERSION:
                # Its Finished comes after it has verified us.
                self.confirmed()
        if "read server session ticket" in state:
            self.confirmed()

    def _reached(self, state: str) -> None:
        again, self._resumed = self._resumed and state == self._state, False
        self._state = state
        if not again:
            self._unwritten = self._unwritten or " write " in state
            self._observer.detail("OpenSSL state", state=state)

    def _alert(self, where: int, value: int) -> None:
        direction = "out" if where & _WRITE else "in"
        self._unwritten = self._unwritten or direction == "out"
        level, description = value >> 8, value & 0xFF
        if description == _CLOSE_NOTIFY:
            self._observer.detail(f"close_notify {direction}")
        else:
            self._observer.detail(f"alert {direction}", level=level, description=description)


def observe_states(context: SSL.Context) -> None:
    """Have those connections of ``context`` that are observed report OpenSSL's states.

    Does nothing where each connection sees to that itself.
    """
    if not STATES_OF_ONE:
        context.set_info_callback(_changed)


def _changed(connection: SSL.Connection, where: int, value: int) -> None:
    observation: HandshakeObservation | None = getattr(connection, "observation", None)
    if observation is not None:
        observation.changed(where, value)
