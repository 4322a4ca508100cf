"""Dialect ``nntp``: STARTTLS (RFC 4642, with the commands of RFC 3977)."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, reply_code
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table

_SERVER: Table = {
    (State.START, CONNECTED): Rule(State.GREETED, b"200 {own}\r\n"),
    (State.GREETED, "CAPABILITIES"): Rule(
        State.GREETED, b"101 Capability list:\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"
    ),
    (State.GREETED, "QUIT"): Rule(
        State.REFUSED, b"205 Bye\r\n", Cause.PROBE, "the client sent QUIT"
    ),
    (State.GREETED, "STARTTLS"): Rule(State.SWITCHED, b"382 Continue with TLS negotiation\r\n"),
    (State.GREETED, "STARTTLS …"): Rule(State.GREETED, b"501 STARTTLS has no arguments\r\n"),
    (State.GREETED, OTHER): Rule(State.GREETED, b"483 Say STARTTLS first\r\n"),
}


class NntpServer(CommandNegotiation):
    """The server: answers everything but STARTTLS with 483 (RFC 3977, section 3.2.1)."""

    table = _SERVER
    refusal = b"400 Plain bytes where TLS was to start\r\n"
    unavailable = b"400 Service not available, try again later\r\n"


def _client_table() -> Table:
    def refused(detail: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", cause, detail)

    ask = Rule(State.GREETED, b"CAPABILITIES\r\n")
    return {
        (State.START, "200"): ask,
        (State.START, "201"): ask,
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETED, "101"): Rule(State.LISTING),
        (State.GREETED, "500"): refused(
            "the server answered CAPABILITIES with {reply}", Cause.NO_STARTTLS
        ),
        (State.GREETED, OTHER): refused("the server answered CAPABILITIES with {reply}"),
        (State.LISTING, "STARTTLS"): Rule(State.OFFERED),
        (State.LISTING, "."): refused("the server does not offer STARTTLS", Cause.NO_STARTTLS),
        (State.LISTING, OTHER): Rule(State.LISTING),
        (State.OFFERED, "."): Rule(State.REQUESTED, b"STARTTLS\r\n"),
        (State.OFFERED, OTHER): Rule(State.OFFERED),
        (State.REQUESTED, "382"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): refused("the server answered STARTTLS with {reply}"),
    }


class NntpClient(LineNegotiation):
    """The client: continues only if the server lists STARTTLS and grants it."""

    table = _client_table()
    is_client = True
    refusal = b"QUIT\r\n"

    def _parse(self, line: bytes) -> Message:
        label = line.split(b" ", 1)[0].upper()
        name = label.decode("ascii") if label in (b"STARTTLS", b".") else reply_code(line)
        return Message(name, {b"reply": line})


DIALECT = Dialect(name="nntp", server=NntpServer, client=NntpClient, source="RFC 4642")
