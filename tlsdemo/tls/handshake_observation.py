"""Reports to an observer what OpenSSL does on one connection.

Theory of operation.  OpenSSL reports its states through the info callback
(SSL_CTX_set_info_callback(3ssl)).  Where pyOpenSSL cannot set the callback of a single connection,
it is set for the whole context (:func:`observe_states`); every connection of that context then
pays for the call, and those that are not observed ignore it.  The bytes of the wire are seen where
the TLS layer reads and writes them, which is the same in every mode.

Who does not want the states does without the callback: OpenSSL calls it for each message, twice or
more, and every call costs more than most of what Python does with a message.  Then a session ticket
is noticed by what it changes: in TLS 1.3 OpenSSL replaces the session with each that it receives.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509

from tlsdemo.tls.observer import Observer, wants_states
from tlsdemo.tls.peer_subject import subject_of

CAN_OBSERVE_ONE_CONNECTION = hasattr(SSL.Connection, "set_info_callback")
"""Whether a single connection can have an info callback; in pyOpenSSL 24.2 only contexts can."""

_session_of: Any = getattr(getattr(SSL, "_lib", None), "SSL_get_session", None)

CAN_SEE_TICKETS = _session_of is not None and hasattr(
    SSL.Connection(SSL.Context(SSL.TLS_METHOD), None), "_ssl"
)
"""Whether a session ticket can be noticed without OpenSSL's states."""

_CLOSE_NOTIFY = 0
_STATE, _WRITE = SSL.SSL_CB_LOOP, SSL.SSL_CB_WRITE
_ALERT, _DONE = SSL.SSL_CB_ALERT, SSL.SSL_CB_HANDSHAKE_DONE


class HandshakeObservation:
    """Reports what happens on ``connection``, but for what takes long to find out.

    A client reports ``confirmed`` once: when its server has proved that it accepted the client,
    which in TLS 1.3 is after the handshake (RFC 8446, section 4.4.2.4 and appendix E.1.2).
    """

    def __init__(self, observer: Observer, connection: SSL.Connection, is_client: bool) -> None:
        self._observer = observer
        self._connection: Any = connection
        self._confirmed = not is_client
        self._complete = False
        self._session: SSL.Session | None = None
        self.wire_ended = False
        observer.tls_created(connection)

    def over(self) -> None:
        """Release the connection and its observer, which refer to this; nothing more will come."""
        self.wire_ended = True
        self._session = None
        del self._connection, self._observer

    def received(self, data: bytes) -> None:
        """Report bytes that have come from the wire."""
        self._observer.wire(False, data)

    def sent(self, data: bytes) -> None:
        """Report bytes that are going to the wire."""
        self._observer.wire(True, data)

    def nothing_to_send(self) -> None:
        """Note that OpenSSL has no more bytes for the wire."""

    def handshake_resumed(self) -> None:
        """Note that OpenSSL continues, and will report its present state once more."""

    def handshake_completed(self) -> None:
        """Note that the handshake is complete."""
        if self._complete:
            return
        self._complete = True
        if self._connection.get_protocol_version() < SSL.TLS1_3_VERSION:
            # The server sends its Finished after it has verified the client.
            self.confirmed()
        elif not self._confirmed and CAN_SEE_TICKETS:
            # While this is referred to, no other session is where it is.
            self._session = self._connection.get_session()

    def no_data_received(self) -> None:
        """Note that all that came has been read, and was no data: it may have been a ticket."""
        session = self._session
        if session is not None and _session_of(self._connection._ssl) != session._session:
            self.confirmed()

    def confirmed(self) -> None:
        """Report, once, that the server has sent what only an accepted client receives."""
        if not self._confirmed:
            self._confirmed = True
            self._session = None
            self._observer.detail("confirmed")

    def chain_rejected(self, number: int) -> None:
        """Report that the peer's chain was rejected, with its ``X509_V_ERR_`` number."""
        self._observer.detail("certificate rejected", error=number)

    def name_verified(self, certificate: X509 | None, good: bool) -> None:
        """Report whether a certificate with a good chain has the name that it should, if any."""
        if certificate is not None:
            name = "certificate verified" if good else "certificate rejected"
            self._observer.detail(name, **self._facts_of(certificate))

    def _facts_of(self, _certificate: X509) -> dict[str, object]:
        return {}


class StateObservation(HandshakeObservation):
    """Reports OpenSSL's states, alerts and subjects as well, and knows the present state."""

    def __init__(self, observer: Observer, connection: SSL.Connection, is_client: bool) -> None:
        super().__init__(observer, connection, is_client)
        self._unwritten = False
        self._state = ""
        self._resumed = False
        if CAN_OBSERVE_ONE_CONNECTION:
            connection.set_info_callback(_changed)

    @property
    def flight_written(self) -> bool:
        """Whether every handshake message and alert of ours has been written to the transport."""
        return not self._unwritten

    @property
    def can_write(self) -> bool:
        """Whether data that the application wrote now would be sent."""
        closed = self.wire_ended or self._connection.get_shutdown() & SSL.SENT_SHUTDOWN
        return self._complete and not closed

    def nothing_to_send(self) -> None:
        """Note that OpenSSL has no more bytes for the wire."""
        self._unwritten = False

    def handshake_resumed(self) -> None:
        """Note that OpenSSL continues, and will report its present state once more."""
        self._resumed = True

    def changed(self, where: int, value: int) -> None:
        """Handle a call of OpenSSL's info callback."""
        state = self._connection.get_state_string().decode()
        if where & _ALERT:
            self._alert(where, value)
        elif where & _STATE:
            self._reached(state)
        elif where & _DONE and not self._complete:
            self._observer.detail("OpenSSL state", state="handshake done")
            self.handshake_completed()
        if "read server session ticket" in state:
            self.confirmed()

    def _reached(self, state: str) -> None:
        again, self._resumed = self._resumed and state == self._state, False
        self._state = state
        if not again:
            self._unwritten = self._unwritten or " write " in state
            self._observer.detail("OpenSSL state", state=state)

    def _facts_of(self, certificate: X509) -> dict[str, object]:
        return {"subject": subject_of(certificate)}

    def _alert(self, where: int, value: int) -> None:
        direction = "out" if where & _WRITE else "in"
        self._unwritten = self._unwritten or direction == "out"
        level, description = value >> 8, value & 0xFF
        if description == _CLOSE_NOTIFY:
            self._observer.detail(f"close_notify {direction}")
        else:
            self._observer.detail(f"alert {direction}", level=level, description=description)


def observe(
    observer: Observer | None, connection: SSL.Connection, is_client: bool
) -> HandshakeObservation | None:
    """Begin to observe ``connection`` as its observer wants, if that is in detail."""
    if observer is None or not observer.detailed:
        return None
    with_states = wants_states(observer) or not CAN_SEE_TICKETS
    return (StateObservation if with_states else HandshakeObservation)(
        observer, connection, is_client
    )


def observe_states(context: SSL.Context) -> None:
    """Make the observed connections of ``context`` report OpenSSL's states.

    Does nothing where each connection can have an info callback of its own.
    """
    if not CAN_OBSERVE_ONE_CONNECTION:
        context.set_info_callback(_changed)


def _changed(connection: SSL.Connection, where: int, value: int) -> None:
    observation = getattr(connection, "observation", None)
    if isinstance(observation, StateObservation):
        observation.changed(where, value)
