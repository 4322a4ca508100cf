"""What the contents of one direction's records are, as far as they can be read."""

from __future__ import annotations

import enum

from tlsdemo.trace.handshake_messages import MESSAGE_HEADER, HandshakeReader
from tlsdemo.trace.record import Kind
from tlsdemo.trace.tls_names import CLIENT_HELLO, SERVER_HELLO, alert_name

_ALERT_IN_THE_CLEAR = 2


class _Reading(enum.Enum):
    """What is done with the content of the record at hand."""

    MESSAGES = "its messages are named"
    FIRST = "its first bytes show whether it is encrypted"
    ALERT = "it is an alert in the clear"
    COUNTED = "its bytes are counted"


class ContentReader:
    """Names what is in one record after the other: ``begin``, ``feed``, and ``take`` what it was.

    TLS 1.2 encrypts all that follows its change_cipher_spec, with the same types in the headers.
    TLS 1.3 sends one as well, for show, and hides what it encrypts in application data: so what
    still looks like a hello after it, to the byte, is one (RFC 8446, appendix D.4).
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
        self._reading = _Reading.COUNTED
        if kind is Kind.HANDSHAKE:
            self._reading = _Reading.FIRST if self._ciphered else _Reading.MESSAGES
        elif kind is Kind.ALERT and size == _ALERT_IN_THE_CLEAR:
            # Encrypted it would be longer: there is always a tag with it.
            self._reading = _Reading.ALERT

    @property
    def wants_bytes(self) -> bool:
        """Whether there is something to read in the content of the record at hand."""
        return self._reading is not _Reading.COUNTED

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
        """Return the names of what was in the record so far, and whether it is encrypted."""
        if self._reading is _Reading.MESSAGES:
            return self._handshake.take(), False
        if self._reading is _Reading.ALERT:
            whole = len(self._first) == _ALERT_IN_THE_CLEAR
            return (alert_name(*self._first),) if whole else (), False
        if self._kind is Kind.CHANGE_CIPHER_SPEC:
            self._ciphered = True
            # What is left of a message in the clear does not go on behind this.
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
            self._reading = _Reading.COUNTED
