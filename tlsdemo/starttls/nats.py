"""Dialect ``nats``: TLS after the server's INFO, as in the NATS client protocol.

The server greets with ``INFO`` and a JSON object.  If that says that TLS is required or available,
the client sends its ClientHello next: there is no request in plaintext, and no answer.  Everything
else, ``CONNECT`` first of all, is sent through TLS.

https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import FilterFailed, LineFilter, Piece, bad_greeting, text
from tlsdemo.starttls.line_negotiation import LineNegotiation
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

_LONGEST_INFO = 1 << 15
"""Bytes: an INFO lists every server of a cluster.  The Go client reads as much."""

_OFFERS = {"tls_required", "tls_available", "tls_verify"}


def _info(fields: Mapping[str, Any]) -> bytes:
    return b"INFO " + json.dumps(fields, separators=(",", ":")).encode() + b" \r\n"


def _read_info(line: bytes) -> dict[str, Any] | None:
    """Return the fields of an INFO; ``None`` if the line is not one."""
    operation, *content = line.split(None, 1) or [b""]
    if operation.upper() != b"INFO":
        return None
    try:
        fields = json.loads(b"".join(content))
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


# Clients send their credentials only to a server that asks for them, and headers only to one that
# knows them.  Whether the backend does is not known before TLS.
_GREETING = _info(
    {
        "server_id": "tlsdemo",
        "server_name": "tlsdemo",
        "version": "2.9.0",
        "proto": 1,
        "headers": True,
        "max_payload": 1 << 20,
        "auth_required": True,
        "tls_required": True,
    }
)
_TLS_REQUIRED = b"-ERR 'Secure Connection - TLS Required'\r\n"

_SERVER: Table = {
    (State.START, CONNECTED): Rule(State.GREETED, _GREETING),
    (State.GREETED, CLIENT_HELLO): Rule(State.SWITCHED),
    (State.GREETED, OTHER): Rule(
        State.REFUSED, _TLS_REQUIRED, Cause.PLAINTEXT, "the client sent no ClientHello"
    ),
}


class NatsServer(Negotiation):
    """The server: accepts nothing but a ClientHello, and quotes nothing else."""

    table = _SERVER
    refusal = _TLS_REQUIRED
    unavailable = b"-ERR 'Service Not Available'\r\n"

    def _next_message(self) -> Message | None:
        if not self._input:
            return None
        return Message(CLIENT_HELLO if self._input.startswith(HANDSHAKE) else OTHER)


_CLIENT: Table = {
    (State.START, "INFO with TLS"): Rule(State.SWITCHED),
    (State.START, "INFO"): Rule(
        State.REFUSED, b"", Cause.NO_STARTTLS, "the server's INFO does not offer TLS"
    ),
    (State.START, "-ERR"): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server's greeting is {line}"
    ),
    (State.START, OTHER): Rule(State.REFUSED, detail="the server's greeting is {line}"),
}


class NatsClient(LineNegotiation):
    """The client: continues only if the server's INFO offers TLS, or requires it."""

    table = _CLIENT
    is_client = True
    longest_line = _LONGEST_INFO

    def _parse(self, line: bytes) -> Message:
        fields = _read_info(line)
        if fields is None:
            is_error = line.upper().startswith(b"-ERR")
            return Message("-ERR" if is_error else OTHER, {b"line": line})
        offers = any(fields.get(name) is True for name in ("tls_required", "tls_available"))
        return Message("INFO with TLS" if offers else "INFO")


_MESSAGES = {b"MSG", b"HMSG"}
_MOST_DIGITS = 18


class NatsFilter(LineFilter):
    """Holds the backend's INFO back until the client can read it, and removes what is not for it.

    A client that has been greeted sends CONNECT and PING and then accepts nothing but PONG: an INFO
    before that would fail it.  After its first PONG it accepts an INFO at any time, so that is when
    it receives the backend's, with the fields that our greeting could not know.

    Offers of TLS are removed from every INFO, and so are the addresses of other servers, to which a
    client would reconnect, bypassing the proxy.  Payloads pass unchanged.  The client's commands
    need no filter, because none of them requests TLS.

    A client that begins with TLS ("handshake first") waits for an INFO inside it, so it receives
    the backend's at once.
    """

    max_line = _LONGEST_INFO
    welcomes = (b"INFO",)
    rejections = (b"-ERR",)

    def __init__(self, greeted: bool = True) -> None:
        super().__init__(greeted)
        self._held = b""
        self._begins = True

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        begins, self._begins = self._begins, piece is not Piece.PART
        operation, *arguments = line.upper().split() or [b""]
        if piece is not Piece.LINE:
            if begins and operation == b"INFO":
                raise FilterFailed(f"the backend's INFO has more than {self.max_line} bytes")
            return line
        if operation == b"INFO":
            return self._filtered(line)
        if operation in _MESSAGES and arguments:
            size = arguments[-1]
            if size.isdigit() and len(size) <= _MOST_DIGITS:
                self._replies.pass_next(int(size))
        held = self._held if operation == b"PONG" else b""
        self._held = self._held.removeprefix(held)
        return line + held

    def _greeting(self, line: bytes, piece: Piece) -> bytes:
        passed = super()._greeting(line, piece)
        if line.upper().startswith(self.rejections):
            return passed
        fields = _read_info(text(line))
        if fields is None:
            raise bad_greeting(line)
        if fields.get("tls_required") is True:
            raise FilterFailed("the backend requires TLS")
        if self._greeted:
            self._held = self._filtered(line)
        return passed

    def _filtered(self, line: bytes) -> bytes:
        """Return an INFO without offers of TLS and addresses of other servers."""
        fields = _read_info(text(line))
        if fields is None:
            return line
        kept = {
            name: value
            for name, value in fields.items()
            if name not in _OFFERS and not name.endswith("connect_urls")
        }
        return _info(kept)


DIALECT = Dialect(
    name="nats",
    server=NatsServer,
    client=NatsClient,
    source="NATS client protocol",
    protocol_filter=NatsFilter,
)
