"""Dialect ``nntp``: STARTTLS of RFC 4642, in the words of RFC 3977."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, reply_code
from tlsdemo.starttls.negotiation import BEGIN, OTHER, Event, Rule, State, Table

_SERVER: Table = {
    (State.START, BEGIN): Rule(State.GREETED, b"200 tlsdemo\r\n"),
    (State.GREETED, "CAPABILITIES"): Rule(
        State.GREETED, b"101 Capability list:\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"
    ),
    (State.GREETED, "QUIT"): Rule(
        State.REFUSED, b"205 Bye\r\n", Cause.UPGRADE_REFUSED, "the client said QUIT"
    ),
    (State.GREETED, "STARTTLS"): Rule(State.SWITCHED, b"382 Continue with TLS negotiation\r\n"),
    (State.GREETED, "STARTTLS …"): Rule(State.GREETED, b"501 STARTTLS has no arguments\r\n"),
    (State.GREETED, OTHER): Rule(State.GREETED, b"483 Say STARTTLS first\r\n"),
}


class NntpServer(CommandNegotiation):
    """The server: nothing but STARTTLS is to be had in plain (RFC 3977, section 3.2.1: 483)."""

    table = _SERVER
    refusal = b"400 Plain bytes where TLS was to start\r\n"


def _client_table() -> Table:
    def refused(what: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", cause, what)

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
        (State.OFFERED, "."): Rule(State.ASKED, b"STARTTLS\r\n"),
        (State.OFFERED, OTHER): Rule(State.OFFERED),
        (State.ASKED, "382"): Rule(State.SWITCHED),
        (State.ASKED, OTHER): refused("the server answered STARTTLS with {reply}"),
    }


class NntpClient(LineNegotiation):
    """The client: asks what is offered, and goes on only if that has STARTTLS and is agreed to."""

    table = _client_table()
    is_client = True
    refusal = b"QUIT\r\n"

    def _read(self, line: bytes) -> Event:
        label = line.split(b" ", 1)[0].upper()
        name = label.decode("ascii") if label in (b"STARTTLS", b".") else reply_code(line)
        return Event(name, {b"reply": line})
