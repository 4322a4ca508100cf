"""Dialect ``postgres``: SSLRequest of PostgreSQL's frontend/backend protocol, and direct TLS.

Numbers are four bytes, big-endian.  A client's first packet has its length, itself included, and a
code.  The answer to SSLRequest is a single byte, and what follows that byte is TLS: PostgreSQL
once read more than that byte, and so took injected plaintext for what had come through TLS
(CVE-2021-23214 on the server's side, CVE-2021-23222 on the client's).

Since version 17, libpq can do without the request (``sslnegotiation=direct``).  Nothing but ALPN
then tells the protocol from others, and so ``Switch.alpn`` demands its agreement.
"""

from __future__ import annotations

from collections.abc import Mapping

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import (
    BEGIN,
    HANDSHAKE,
    OTHER,
    Event,
    Negotiation,
    Rule,
    State,
    Table,
)

ALPN = b"postgresql"

_SSL_REQUEST = 80877103
_LONGEST_PACKET = 10_000
"""What PostgreSQL accepts before a client has logged in (MAX_STARTUP_PACKET_LENGTH)."""

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
        (State.START, "ClientHello"): Rule(State.SWITCHED, alpn=ALPN),
        (State.START, "GSSENCRequest"): Rule(State.GREETED, b"N"),
    }
    for state in (State.START, State.GREETED):
        table |= {
            (state, "SSLRequest"): Rule(State.SWITCHED, b"S"),
            (state, "CancelRequest"): Rule(
                State.REFUSED, _TLS_REQUIRED, Cause.PLAINTEXT, "a CancelRequest in plain"
            ),
            (state, "StartupMessage"): Rule(
                State.REFUSED, _TLS_REQUIRED, Cause.PLAINTEXT, "a StartupMessage in plain"
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
    """The server: says nothing until it is asked, and nothing but TLS is to be had."""

    table = _server_table()
    refusal = _fatal(b"08P01", b"received unencrypted data after SSL request")

    def _next_event(self) -> Event | None:
        packet = self._input
        if self.state is State.START and packet[:1] == HANDSHAKE:
            return Event("ClientHello")
        if len(packet) < 4:
            return None
        length = int.from_bytes(packet[:4], "big")
        if not _HEADER <= length <= _LONGEST_PACKET:
            return Event(_BAD_LENGTH, {b"head": bytes(packet[:4])})
        if len(packet) < length:
            return None
        code = int.from_bytes(packet[4:_HEADER], "big")
        words = {b"head": bytes(packet[:_HEADER])}
        del packet[:length]
        name = _CODES.get(code, "StartupMessage" if code >> 16 == 3 else OTHER)
        return Event(name if _EXACT_LENGTHS.get(name, length) == length else OTHER, words)


_CLIENT: Table = {
    (State.START, BEGIN): Rule(State.ASKED, _number(_HEADER) + _number(_SSL_REQUEST)),
    (State.ASKED, "S"): Rule(State.SWITCHED),
    (State.ASKED, "N"): Rule(
        State.REFUSED, b"", Cause.NO_STARTTLS, "the server answered SSLRequest with N"
    ),
    (State.ASKED, "ErrorResponse"): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server answered SSLRequest with {error}"
    ),
    (State.ASKED, _BAD_LENGTH): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "no ErrorResponse begins with {head}"
    ),
    (State.ASKED, OTHER): Rule(State.REFUSED, detail="the server answered SSLRequest with {byte}"),
}


class PostgresClient(Negotiation):
    """The client, which goes on only if the server says ``S``, and not a byte more."""

    table = _CLIENT
    is_client = True

    def _next_event(self) -> Event | None:
        answer = self._input
        if answer[:1] == b"E":
            return self._error()
        if not answer:
            return None
        byte = bytes(answer[:1])
        del answer[:1]
        return Event(byte.decode("latin-1"), {b"byte": byte})

    def _error(self) -> Event | None:
        """Read an ErrorResponse to its end, which no one has authenticated: it is only quoted."""
        answer = self._input
        if len(answer) < 5:
            return None
        length = int.from_bytes(answer[1:5], "big")
        if not 4 < length <= _LONGEST_PACKET:
            return Event(_BAD_LENGTH, {b"head": bytes(answer[:5])})
        if len(answer) <= length:
            return None
        fields = {each[:1]: each[1:] for each in bytes(answer[5 : 1 + length]).split(b"\0")}
        texts = (fields.get(b"C", b"?????"), fields.get(b"M", b"no message"))
        return Event("ErrorResponse", {b"error": b" ".join(texts)})


_DIRECT_CLIENT: Table = {(State.START, BEGIN): Rule(State.SWITCHED, alpn=ALPN)}


class PostgresDirectClient(Negotiation):
    """The client of ``sslnegotiation=direct``: no words at all."""

    table = _DIRECT_CLIENT
    is_client = True
