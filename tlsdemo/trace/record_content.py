"""The contents of the records of one direction, as far as they are not encrypted."""

from __future__ import annotations

import enum

from tlsdemo.trace.handshake_messages import MESSAGE_HEADER, HandshakeReader
from tlsdemo.trace.record import Kind
from tlsdemo.trace.tls_names import CLIENT_HELLO, SERVER_HELLO, alert_name

_UNENCRYPTED_ALERT = 2


class _Reading(enum.Enum):
    """How the content of the current record is read."""

    MESSAGES = "for its handshake messages"
    FIRST = "for its first bytes, which show whether it is encrypted"
    ALERT = "as an unencrypted alert"
    IGNORED = "not at all"


class ContentReader:
    """Names the contents of one record after the other, by ``begin``, ``feed`` and ``take``.

    TLS 1.2 encrypts everything after its change_cipher_spec, without changing the types in the
    headers.  TLS 1.3 sends a change_cipher_spec only for compatibility, and its encrypted records
    have the type application data.  Therefore a handshake record after a change_cipher_spec is
    unencrypted only if it is exactly one hello (RFC 8446, appendix D.4).
    """

    __slots__ = ("_ciphered", "_first", "_handshake", "_kind", "_reading", "_size")

    def __init__(self) -> None:
        self._ciphered = False
        self._handshake = HandshakeReader()
        self.begin(Kind.UNREADABLE, 0)

    def begin(self, kind: Kind, size: int) -> None:
        """Begin the content of a record, ``size`` bytes long."""
        self._kind = kind
        self._size = size
        self._first = b""
        self._reading = _Reading.IGNORED
        if kind is Kind.HANDSHAKE:
            self._reading = _Reading.FIRST if self._ciphered else _Reading.MESSAGES
        elif kind is Kind.ALERT and size == _UNENCRYPTED_ALERT:
            # An encrypted alert is longer, because of its authentication tag.
            self._reading = _Reading.ALERT

    @property
    def wants_bytes(self) -> bool:
        """Whether the content of the current record has to be fed."""
        return self._reading is not _Reading.IGNORED

    def feed(self, data: bytes) -> None:
        """Read a piece of the record's content."""
        if self._reading is _Reading.MESSAGES:
            self._handshake.feed(data)
        elif self._reading is _Reading.ALERT:
            self._first += data
        elif self._reading is _Reading.FIRST:
            rest = MESSAGE_HEADER - len(self._first)
            self._first += data[:rest]
            if len(self._first) == MESSAGE_HEADER:
                self._decide()
                self.feed(data[rest:])

    def take(self) -> tuple[tuple[str, ...], bool]:
        """Return the names of the contents so far, and whether the record is encrypted."""
        if self._reading is _Reading.MESSAGES:
            return self._handshake.take(), False
        if self._reading is _Reading.ALERT:
            whole = len(self._first) == _UNENCRYPTED_ALERT
            return (alert_name(*self._first),) if whole else (), False
        if self._kind is Kind.CHANGE_CIPHER_SPEC:
            self._ciphered = True
            # An incomplete unencrypted message does not continue after this.
            self._handshake = HandshakeReader()
            return (), False
        return (), self._ciphered or self._kind is Kind.APPLICATION_DATA

    def _decide(self) -> None:
        length = int.from_bytes(self._first[1:], "big")
        if self._first[0] in (CLIENT_HELLO, SERVER_HELLO) and (
            MESSAGE_HEADER + length == self._size
        ):
            self._reading = _Reading.MESSAGES
            self._handshake.feed(self._first)
        else:
            self._reading = _Reading.IGNORED
