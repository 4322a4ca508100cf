"""Dialect ``line``, for demonstrations: the client says STARTTLS, and the server answers OK."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation
from tlsdemo.starttls.negotiation import BEGIN, OTHER, Event, Rule, State, Table

_SERVER: Table = {
    (State.START, "STARTTLS"): Rule(State.SWITCHED, b"OK\r\n"),
    (State.START, "STARTTLS …"): Rule(State.START, b"ERROR STARTTLS stands alone\r\n"),
    (State.START, OTHER): Rule(State.START, b"ERROR say STARTTLS\r\n"),
}


class LineServer(CommandNegotiation):
    """The server: says nothing first, and knows one word."""

    table = _SERVER
    refusal = b"ERROR plain bytes where TLS was to start\r\n"


_CLIENT: Table = {
    (State.START, BEGIN): Rule(State.ASKED, b"STARTTLS\r\n"),
    (State.ASKED, "OK"): Rule(State.SWITCHED),
    (State.ASKED, OTHER): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server answered STARTTLS with {reply}"
    ),
}


class LineClient(LineNegotiation):
    """The client: any answer but OK ends it."""

    table = _CLIENT
    is_client = True

    def _read(self, line: bytes) -> Event:
        return Event("OK" if line == b"OK" else OTHER, {b"reply": line})
