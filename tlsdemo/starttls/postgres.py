"""Dialects ``postgres`` and ``postgres-direct``: PostgreSQL's SSLRequest, and TLS without it.

Numbers are four bytes, big-endian.  A client's first packet begins with its length, which includes
itself, and a code.  The answer to SSLRequest is a single byte, and everything after it is TLS.
PostgreSQL once read more than that byte, and so mistook injected plaintext for data that had been
received through TLS (CVE-2021-23214 in the server, CVE-2021-23222 in the client).

Since version 17, libpq can omit the request (``sslnegotiation=direct``).  Only ALPN then
distinguishes the protocol from others, so ``Switch.alpn`` demands it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import SESSION_TIMEOUT, Dialect
from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.negotiation import (
    CLIENT_HELLO,
    CONNECTED,
    HANDSHAKE,
    OTHER,
    Message,
    Negotiation,
    Rule,
    State,
    Table,
)

ALPN = b"postgresql"

_SSL_REQUEST = 80877103
_LONGEST_PACKET = 10_000
"""PostgreSQL's limit before a client has logged in (MAX_STARTUP_PACKET_LENGTH)."""

_HEADER = 8
_CODES: Mapping[int, str] = {
    80877102: "CancelRequest",
    _SSL_REQUEST: "SSLRequest",
    80877104: "GSSENCRequest",
}
_EXACT_LENGTHS: Mapping[str, int] = {"SSLRequest": _HEADER, "GSSENCRequest": _HEADER}
_BAD_LENGTH = "bad length"


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _fatal(sqlstate: bytes, message: bytes) -> bytes:
    fields = (b"SFATAL", b"VFATAL", b"C" + sqlstate, b"M" + message, b"")
    body = b"".join(each + b"\0" for each in fields)
    return b"E" + _number(4 + len(body)) + body


_TLS_REQUIRED = _fatal(b"28000", b"TLS is required: sslmode=require or better")
_UNEXPECTED = _fatal(b"0A000", b"unsupported frontend protocol")
_INVALID_LENGTH = _fatal(b"08P01", b"invalid length of startup packet")


def _server_table() -> Table:
    table: dict[tuple[State, str], Rule] = {
        (State.START, CLIENT_HELLO): Rule(State.SWITCHED, alpn=ALPN),
        (State.START, "GSSENCRequest"): Rule(State.GREETED, b"N"),
    }
    for state in (State.START, State.GREETED):
        table |= {
            (state, "SSLRequest"): Rule(State.SWITCHED, b"S"),
            (state, "CancelRequest"): Rule(
                State.REFUSED, _TLS_REQUIRED, Cause.PLAINTEXT, "a CancelRequest in plaintext"
            ),
            (state, "StartupMessage"): Rule(
                State.REFUSED, _TLS_REQUIRED, Cause.PLAINTEXT, "a StartupMessage in plaintext"
            ),
            (state, _BAD_LENGTH): Rule(
                State.REFUSED, _INVALID_LENGTH, detail="no packet begins with {head}"
            ),
            (state, OTHER): Rule(
                State.REFUSED, _UNEXPECTED, detail="an unexpected packet begins with {head}"
            ),
        }
    return table


class PostgresServer(Negotiation):
    """The server: sends nothing first, and accepts nothing but TLS."""

    table = _server_table()
    refusal = _fatal(b"08P01", b"received unencrypted data after SSL request")
    unavailable = _fatal(b"57P03", b"the service is not available, try again later")

    def _next_message(self) -> Message | None:
        packet = self._input
        if self.state is State.START and packet[:1] == HANDSHAKE:
            return Message(CLIENT_HELLO)
        if len(packet) < 4:
            return None
        length = int.from_bytes(packet[:4], "big")
        if not _HEADER <= length <= _LONGEST_PACKET:
            return Message(_BAD_LENGTH, {b"head": bytes(packet[:4])})
        if len(packet) < length:
            return None
        code = int.from_bytes(packet[4:_HEADER], "big")
        fields = {b"head": bytes(packet[:_HEADER])}
        del packet[:length]
        name = _CODES.get(code, "StartupMessage" if code >> 16 == 3 else OTHER)
        return Message(name if _EXACT_LENGTHS.get(name, length) == length else OTHER, fields)


_CLIENT: Table = {
    (State.START, CONNECTED): Rule(State.REQUESTED, _number(_HEADER) + _number(_SSL_REQUEST)),
    (State.REQUESTED, "S"): Rule(State.SWITCHED),
    (State.REQUESTED, "N"): Rule(
        State.REFUSED, b"", Cause.NO_STARTTLS, "the server answered SSLRequest with N"
    ),
    (State.REQUESTED, "ErrorResponse"): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server answered SSLRequest with {error}"
    ),
    (State.REQUESTED, _BAD_LENGTH): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "no ErrorResponse begins with {head}"
    ),
    (State.REQUESTED, OTHER): Rule(
        State.REFUSED, detail="the server answered SSLRequest with {byte}"
    ),
}


class PostgresClient(Negotiation):
    """The client: continues only if the server answers ``S``, and not a byte more."""

    table = _CLIENT
    is_client = True

    def _next_message(self) -> Message | None:
        answer = self._input
        if answer[:1] == b"E":
            return self._error()
        if not answer:
            return None
        byte = bytes(answer[:1])
        del answer[:1]
        return Message(byte.decode("latin-1"), {b"byte": byte})

    def _error(self) -> Message | None:
        """Read a whole ErrorResponse; nobody has authenticated it, so it is only quoted."""
        answer = self._input
        if len(answer) < 5:
            return None
        length = int.from_bytes(answer[1:5], "big")
        if not 4 < length <= _LONGEST_PACKET:
            return Message(_BAD_LENGTH, {b"head": bytes(answer[:5])})
        if len(answer) <= length:
            return None
        fields = {each[:1]: each[1:] for each in bytes(answer[5 : 1 + length]).split(b"\0")}
        texts = (fields.get(b"C", b"?????"), fields.get(b"M", b"no message"))
        return Message("ErrorResponse", {b"error": b" ".join(texts)})


_DIRECT_CLIENT: Table = {(State.START, CONNECTED): Rule(State.SWITCHED, alpn=ALPN)}


class PostgresDirectClient(Negotiation):
    """The client of ``sslnegotiation=direct``: sends nothing in plaintext."""

    table = _DIRECT_CLIENT
    is_client = True


DIALECT = Dialect(
    name="postgres",
    server=PostgresServer,
    client=PostgresClient,
    source="PostgreSQL's SSLRequest",
    protocol_filter=ProtocolFilter,
    idle_timeout=SESSION_TIMEOUT,
)
DIRECT = Dialect(
    name="postgres-direct",
    server=PostgresServer,
    client=PostgresDirectClient,
    source="PostgreSQL's TLS without an SSLRequest, identified by ALPN",
    protocol_filter=ProtocolFilter,
    idle_timeout=SESSION_TIMEOUT,
)
