"""Dialect ``line``, for demonstrations: the client sends STARTTLS, and the server answers OK."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table

_SERVER: Table = {
    (State.START, "STARTTLS"): Rule(State.SWITCHED, b"OK\r\n"),
    (State.START, "STARTTLS …"): Rule(State.START, b"ERROR STARTTLS stands alone\r\n"),
    (State.START, OTHER): Rule(State.START, b"ERROR say STARTTLS\r\n"),
}


class LineServer(CommandNegotiation):
    """The server: sends no greeting, and has one command."""

    table = _SERVER
    refusal = b"ERROR plain bytes where TLS was to start\r\n"
    unavailable = b"ERROR service not available, try again later\r\n"


_CLIENT: Table = {
    (State.START, CONNECTED): Rule(State.REQUESTED, b"STARTTLS\r\n"),
    (State.REQUESTED, "OK"): Rule(State.SWITCHED),
    (State.REQUESTED, OTHER): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server answered STARTTLS with {reply}"
    ),
}


class LineClient(LineNegotiation):
    """The client: accepts no answer but OK."""

    table = _CLIENT
    is_client = True

    def _parse(self, line: bytes) -> Message:
        return Message("OK" if line == b"OK" else OTHER, {b"reply": line})


DIALECT = Dialect(
    name="line",
    server=LineServer,
    client=LineClient,
    source="A demonstration of our own",
    protocol_filter=ProtocolFilter,
)
