"""Dialect ``mysql``: the connection phase of the MySQL protocol, up to its SSLRequest.

Numbers are little-endian.  A packet consists of the length of its payload in three bytes, a
sequence number in one byte, and the payload.  The server begins with HandshakeV10, sequence
number 0.  A client that wants TLS answers with SSLRequest, the first 32 bytes of its
HandshakeResponse, sequence number 1, and sends the whole HandshakeResponse after the TLS handshake.
Sequence numbers continue through the upgrade: that first packet inside TLS has number 2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import SESSION_TIMEOUT, Dialect
from tlsdemo.starttls.names import DEFAULT_NAMES, Names
from tlsdemo.starttls.negotiation import (
    CONNECTED,
    MAX_PLAIN,
    OTHER,
    Command,
    Message,
    Negotiation,
    Rule,
    State,
    Table,
)

SCRAMBLE = b"no secret, no random"
"""The default challenge for passwords: 20 bytes, none of them zero."""

_PROTOCOL_41 = 0x0200
_SSL = 0x0800
_LONG_PASSWORD, _TRANSACTIONS, _SECURE_CONNECTION, _PLUGIN_AUTH = 0x1, 0x2000, 0x8000, 0x8_0000
_CAPABILITIES = (
    _LONG_PASSWORD | _PROTOCOL_41 | _SSL | _TRANSACTIONS | _SECURE_CONNECTION | _PLUGIN_AUTH
)

_HEADER = 4
_UTF8 = 0x21
_SSL_REQUEST_LENGTH = 32
_LONGEST_PACKET = 1 << 14
_PROTOCOL = 10
_ERR = 0xFF
_LONGEST_PAYLOAD = b"\0\0\0\1"
_BAD_LENGTH = "bad length"
_OUT_OF_ORDER = "packet out of order"


def _packet(sequence: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


def _error(sequence: int, code: int, text: bytes) -> bytes:
    """Return an ERR packet; ``text`` begins with the SQL state, if the client can know of it."""
    return _packet(sequence, bytes([_ERR]) + code.to_bytes(2, "little") + text)


_BAD_HANDSHAKE = _error(2, 1043, b"#08S01Bad handshake: TLS is required")


def _greeting(scramble: bytes) -> bytes:
    """Return the packet HandshakeV10."""
    if len(scramble) != len(SCRAMBLE) or 0 in scramble:
        raise ValueError(f"a scramble has {len(SCRAMBLE)} bytes, none of them zero")
    capabilities = _CAPABILITIES.to_bytes(4, "little")
    fields = (
        bytes([_PROTOCOL]) + b"8.0.0-tlsdemo\0",  # the protocol's version, the server's version
        b"\1\0\0\0",  # the connection's number
        scramble[:8] + b"\0",
        capabilities[:2],
        bytes([_UTF8]),
        b"\2\0",  # the status: autocommit
        capabilities[2:],
        bytes([len(scramble) + 1]),
        bytes(10),
        scramble[8:] + b"\0",
        b"mysql_native_password\0",
    )
    return _packet(0, b"".join(fields))


_SSL_REQUEST = _packet(
    1, _CAPABILITIES.to_bytes(4, "little") + _LONGEST_PAYLOAD + bytes([_UTF8]) + bytes(23)
)


class _Packets(Negotiation, ABC):
    """What both roles have in common: they expect one packet, of a known sequence number."""

    sequence: ClassVar[int]

    def _next_message(self) -> Message | None:
        header = bytes(self._input[:_HEADER])
        if len(header) < _HEADER:
            return None
        length = int.from_bytes(header[:3], "little")
        if not 1 <= length <= _LONGEST_PACKET:
            return Message(_BAD_LENGTH, {b"head": header})
        if header[3] != self.sequence:
            return Message(_OUT_OF_ORDER, {b"number": b"%d" % header[3]})
        if len(self._input) < _HEADER + length:
            return None
        payload = bytes(self._input[_HEADER : _HEADER + length])
        del self._input[: _HEADER + length]
        return self._parse(payload)

    @abstractmethod
    def _parse(self, payload: bytes) -> Message:
        """Return the message that a packet is."""


_SERVER: Table = {
    (State.START, CONNECTED): Rule(State.GREETED, b"{greeting}"),
    (State.GREETED, "SSLRequest"): Rule(State.SWITCHED),
    (State.GREETED, "HandshakeResponse"): Rule(
        State.REFUSED,
        _error(2, 3159, b"#HY000Connections using insecure transport are prohibited"),
        Cause.PLAINTEXT,
        "a HandshakeResponse in plaintext",
    ),
    (State.GREETED, _OUT_OF_ORDER): Rule(
        State.REFUSED,
        _error(2, 1156, b"#08S01Got packets out of order"),
        detail="the client's first packet has sequence number {number}",
    ),
    (State.GREETED, _BAD_LENGTH): Rule(
        State.REFUSED, _BAD_HANDSHAKE, detail="no packet begins with {head}"
    ),
    (State.GREETED, OTHER): Rule(
        State.REFUSED, _BAD_HANDSHAKE, detail="the client's first packet is no SSLRequest"
    ),
}


class MysqlServer(_Packets):
    """The server: accepts nothing but an SSLRequest; it quotes no packet, lest it be a password.

    ``scramble``: the challenge for passwords.  An application that checks them must pass a random
    one.
    """

    sequence = 1
    table = _SERVER
    refusal = _BAD_HANDSHAKE
    unavailable = _error(0, 1053, b"Service not available, try again later")

    def __init__(
        self,
        guard: bool = True,
        max_line: int | None = None,
        max_plain: int = MAX_PLAIN,
        names: Names = DEFAULT_NAMES,
        scramble: bytes = SCRAMBLE,
    ) -> None:
        super().__init__(guard, max_line, max_plain, names)
        self._greeting = _greeting(scramble)

    def start(self) -> list[Command]:
        """Return the command that sends the greeting."""
        return self._handle(Message(CONNECTED, {b"greeting": self._greeting}))

    def _parse(self, payload: bytes) -> Message:
        capabilities = int.from_bytes(payload[:4], "little")
        if len(payload) > 4 and not capabilities & _SSL:
            return Message("HandshakeResponse")
        is_request = len(payload) == _SSL_REQUEST_LENGTH and capabilities & _PROTOCOL_41
        return Message("SSLRequest" if is_request else OTHER)


_CLIENT: Table = {
    (State.START, "HandshakeV10 with TLS"): Rule(State.SWITCHED, _SSL_REQUEST),
    (State.START, "HandshakeV10"): Rule(
        State.REFUSED, b"", Cause.NO_STARTTLS, "the server's greeting does not offer TLS"
    ),
    (State.START, "ERR"): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server greets with the error {error}"
    ),
    (State.START, _OUT_OF_ORDER): Rule(
        State.REFUSED, detail="the server's first packet has sequence number {number}"
    ),
    (State.START, _BAD_LENGTH): Rule(State.REFUSED, detail="no packet begins with {head}"),
    (State.START, OTHER): Rule(
        State.REFUSED, detail="the server's first packet is no HandshakeV10"
    ),
}


class MysqlClient(_Packets):
    """The client: continues only if the server's greeting offers TLS."""

    sequence = 0
    table = _CLIENT
    is_client = True

    def _parse(self, payload: bytes) -> Message:
        if payload[0] == _ERR and len(payload) > 2:
            code = int.from_bytes(payload[1:3], "little")
            text = payload[9:] if payload[3:4] == b"#" else payload[3:]
            return Message("ERR", {b"error": b"%d %b" % (code, text)})
        rest = payload.partition(b"\0")[2]  # after the server's version
        flags = rest[13:15]  # after the connection's number and the first part of the scramble
        if payload[0] != _PROTOCOL or len(flags) < 2:
            return Message(OTHER)
        offers_tls = int.from_bytes(flags, "little") & _SSL
        return Message("HandshakeV10 with TLS" if offers_tls else "HandshakeV10")


DIALECT = Dialect(
    name="mysql",
    server=MysqlServer,
    client=MysqlClient,
    source="MySQL's SSLRequest",
    idle_timeout=SESSION_TIMEOUT,
)
