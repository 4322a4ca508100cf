"""Watching one connection: what OpenSSL does, what is on the wire, and what is true at each event.

Theory of operation.  A service that watches nothing has none of this: it is a subclass of the
connection, made by a connection creator of its own, for those connections only that are watched.
OpenSSL's states are reported by its info callback.  Where pyOpenSSL cannot set that for one
connection, it is set for a context as a whole (:func:`watch_states`), and finds the connection that
it was called for; all the others of that context then pay for it.  The bytes of the wire are
seen where the TLS layer takes and leaves them, which is alike in every mode.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.record_reader import RecordReader
from tlsdemo.trace.timeline import Event, Fact, Later
from tlsdemo.trace.tls_names import alert_name

_CLOSE_NOTIFY = 0
_STATE, _READ, _WRITE = SSL.SSL_CB_LOOP, SSL.SSL_CB_READ, SSL.SSL_CB_WRITE
STATES_OF_ONE = hasattr(SSL.Connection, "set_info_callback")
"""Whether a connection can be watched alone: pyOpenSSL 24.2 has this for contexts only."""

_ALERT, _DONE = SSL.SSL_CB_ALERT, SSL.SSL_CB_HANDSHAKE_DONE


class Watch:
    """Tells ``told`` what is seen of one end of a connection, in seconds since ``began``.

    It is the observer of that end's timeline, and adds to each event what is true at that moment:

    ``peer``: whether the peer's certificate is there.  ``alpn``: the protocol agreed on, if one
    is.  ``flight``: whether all that OpenSSL has said in the handshake has been handed to the
    transport.  ``write``: whether what the application would write now would be sent.

    ``wire`` off tells nothing of records, where somebody else sees them better.
    """

    def __init__(
        self,
        end: End,
        clock: Callable[[], float],
        began: float,
        told: Callable[[Mark | Arrow], object],
        wire: bool = True,
    ) -> None:
        self.end = end
        self.lost = False
        self._clock = clock
        self._began = began
        self._told = told
        self._wire = wire
        self._readers = {each: RecordReader() for each in End}
        self._again = dict.fromkeys(End, 0)
        self._hello_seen = end is End.CLIENT
        self._confirmed = end is End.SERVER
        self.connection: WatchedConnection | None = None

    def observe(self, event: Event) -> None:
        """Be told of an event by a timeline."""
        self.happened(event.name, **event.facts)

    def happened(self, name: str, **facts: Fact) -> None:
        """Tell of an event, with what is true now."""
        true = {} if self.connection is None else self.connection.true_now(self.lost)
        known = {
            key: str(value) if isinstance(value, Later) else value for key, value in facts.items()
        }
        event = Event(name, self._clock() - self._began, {**known, **true})
        self._told(Mark(self.end, event))

    def confirmed(self) -> None:
        """Tell, once, of a client's proof that its server has accepted it."""
        if not self._confirmed:
            self._confirmed = True
            self.happened("confirmed")

    def already_passed(self, sender: End, length: int) -> None:
        """Leave out so many of the next bytes, of which it has been told already."""
        self._again[sender] += length

    def passed(self, sender: End, data: bytes) -> None:
        """Be told of bytes of the wire, in plain or of TLS."""
        if self._hello_seen and not self._wire:
            return
        again = min(self._again[sender], len(data))
        self._again[sender] -= again
        at = self._clock() - self._began
        for record in self._readers[sender].feed(data[again:]):
            if self._wire:
                self._told(Arrow(sender, at, record))
            if not self._hello_seen and "client_hello" in record.messages:
                self._hello_seen = True
                self.happened("ClientHello seen")


class WatchedConnection(TLSConnection):
    """A connection that reports to a :class:`Watch`."""

    def __init__(
        self, context: SSL.Context, verify_name: Callable[[X509], None] | None, watch: Watch
    ) -> None:
        self._watch = watch
        self._number = 0
        self._unwritten = False
        self._complete = False
        self._state = ""
        self._resumed = False
        super().__init__(context, verify_name)
        watch.connection = self
        if STATES_OF_ONE:
            self.set_info_callback(_changed)

    def true_now(self, lost: bool) -> dict[str, Fact]:
        """Return the facts that hold at this moment; ``lost``: the wire has ended."""
        open_ = not (lost or self.get_shutdown() & SSL.SENT_SHUTDOWN)
        return {
            "peer": self.get_peer_certificate() is not None,
            "alpn": self.get_alpn_proto_negotiated().decode("ascii", "backslashreplace"),
            "flight": not self._unwritten,
            "write": self._complete and open_,
        }

    # What is on the wire.

    def bio_write(self, buf: Any) -> int:
        """Take bytes from the wire."""
        self._watch.passed(self._watch.end.other, bytes(buf))
        return super().bio_write(buf)

    def bio_read(self, bufsiz: int) -> bytes:
        """Give bytes for the wire."""
        try:
            data = super().bio_read(bufsiz)
        except SSL.WantReadError:
            self._unwritten = False
            raise
        self._watch.passed(self._watch.end, data)
        return data

    # What has been verified.

    @property
    def verify_error(self) -> int:
        """The number that the verification ended with."""
        return self._number

    @verify_error.setter
    def verify_error(self, number: int) -> None:
        self._number = number
        if number:
            self._watch.happened("certificate rejected", error=number)

    def verify_name(self, certificate: X509 | None) -> bool:
        """Verify the name, which is asked for when the chain has been verified."""
        first = self._verify_name is not None or not self._complete
        good = super().verify_name(certificate)
        if first and certificate is not None:
            subject = certificate.to_cryptography().subject.rfc4514_string()
            name = "certificate verified" if good else "certificate rejected"
            self._watch.happened(name, subject=subject)
        return good

    # What OpenSSL does.

    def do_handshake(self) -> None:
        """Go on with the handshake; the state that it had reached is told anew, and is no news."""
        self._resumed = True
        super().do_handshake()

    def changed(self, where: int, value: int) -> None:
        """Be told by OpenSSL's info callback (SSL_CTX_set_info_callback(3ssl))."""
        state = self.get_state_string().decode()
        if where & _ALERT:
            self._alert(where, value)
        elif where & _STATE:
            self._reached(state)
        elif where & _DONE and not self._complete:
            self._complete = True
            self._watch.happened("OpenSSL state", state="handshake done")
            if self.get_protocol_version() < SSL.TLS1_3_VERSION:
                # Its Finished comes after it has verified us.
                self._watch.confirmed()
        if "read server session ticket" in state:
            self._watch.confirmed()

    def _reached(self, state: str) -> None:
        again, self._resumed = self._resumed and state == self._state, False
        self._state = state
        if not again:
            self._unwritten = self._unwritten or " write " in state
            self._watch.happened("OpenSSL state", state=state)

    def _alert(self, where: int, value: int) -> None:
        scenario = "out" if where & _WRITE else "in"
        self._unwritten = self._unwritten or scenario == "out"
        if value & 0xFF == _CLOSE_NOTIFY:
            self._watch.happened(f"close_notify {scenario}")
        else:
            self._watch.happened(f"alert {scenario}", alert=alert_name(value >> 8, value & 0xFF))

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Decrypt; the first bytes from the server are the proof that it has accepted us."""
        data = super().recv(bufsiz, flags)
        self._watch.confirmed()
        return data


def watch_states(context: SSL.Context) -> None:
    """Have the connections of ``context`` that are watched tell of OpenSSL's states.

    Does nothing where each that is watched sees to that itself.
    """
    if not STATES_OF_ONE:
        context.set_info_callback(_changed)


def _changed(connection: SSL.Connection, where: int, value: int) -> None:
    if isinstance(connection, WatchedConnection):
        connection.changed(where, value)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class WatchedTLS:
    """Makes one watched connection, otherwise as ``tls`` does; resumes ``session`` if given."""

    def __init__(self, tls: TLS, watch: Watch, session: SSL.Session | None = None) -> None:
        self.is_client = tls.is_client
        self._tls = tls
        self._watch = watch
        self._session = session

    def make(self, kind: object = None) -> TLSConnection:
        """Make a watched connection, whatever ``kind`` was asked for."""
        connection = self._tls.make(partial(WatchedConnection, watch=self._watch))
        if self._session is not None:
            connection.set_session(self._session)
        return connection

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer of a server."""
        return self.make()

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer of a client."""
        return self.make()


class KeyLog:
    """Writes the secrets of every connection to a file, for Wireshark (SSLKEYLOGFILE format).

    Whoever has the file can read what those connections carried.
    """

    def __init__(self, append: Callable[[bytes], object]) -> None:
        self._append = append

    def __call__(self, context: SSL.Context) -> None:
        """Have the connections of ``context`` give their secrets away."""
        context.set_keylog_callback(self._one)

    def _one(self, _connection: SSL.Connection, line: bytes) -> None:
        self._append(line + b"\n")
