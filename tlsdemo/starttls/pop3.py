"""Dialect ``pop3``: STLS of RFC 2595, section 4, in the words of RFC 1939 and RFC 2449."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation
from tlsdemo.starttls.negotiation import BEGIN, OTHER, Event, Rule, State, Table

_SERVER: Table = {
    (State.START, BEGIN): Rule(State.GREETED, b"+OK tlsdemo\r\n"),
    (State.GREETED, "CAPA"): Rule(State.GREETED, b"+OK Capability list follows\r\nSTLS\r\n.\r\n"),
    (State.GREETED, "QUIT"): Rule(
        State.REFUSED, b"+OK Bye\r\n", Cause.UPGRADE_REFUSED, "the client said QUIT"
    ),
    (State.GREETED, "STLS"): Rule(State.SWITCHED, b"+OK Begin TLS negotiation now\r\n"),
    (State.GREETED, "STLS …"): Rule(State.GREETED, b"-ERR STLS has no arguments\r\n"),
    (State.GREETED, OTHER): Rule(State.GREETED, b"-ERR Say STLS first\r\n"),
}


class Pop3Server(CommandNegotiation):
    """The server: nothing but STLS is to be had in plain."""

    table = _SERVER
    refusal = b"-ERR Plain bytes where TLS was to start\r\n"


def _client_table() -> Table:
    def refused(what: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", cause, what)

    return {
        (State.START, "+OK"): Rule(State.GREETED, b"CAPA\r\n"),
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETED, "+OK"): Rule(State.LISTING),
        (State.GREETED, "-ERR"): refused(
            "the server answered CAPA with {reply}", Cause.NO_STARTTLS
        ),
        (State.GREETED, OTHER): refused("the server answered CAPA with {reply}"),
        (State.LISTING, "STLS"): Rule(State.OFFERED),
        (State.LISTING, "."): refused("the server does not offer STLS", Cause.NO_STARTTLS),
        (State.LISTING, OTHER): Rule(State.LISTING),
        (State.OFFERED, "."): Rule(State.ASKED, b"STLS\r\n"),
        (State.OFFERED, OTHER): Rule(State.OFFERED),
        (State.ASKED, "+OK"): Rule(State.SWITCHED),
        (State.ASKED, OTHER): refused("the server answered STLS with {reply}"),
    }


class Pop3Client(LineNegotiation):
    """The client: asks what is offered, and goes on only if that has STLS and it is agreed to."""

    table = _client_table()
    is_client = True
    refusal = b"QUIT\r\n"

    def _read(self, line: bytes) -> Event:
        first = line.split(b" ", 1)[0]
        if line == b".":
            name = "."
        elif first in (b"+OK", b"-ERR"):
            name = first.decode("ascii")
        else:
            name = "STLS" if first.upper() == b"STLS" else OTHER
        return Event(name, {b"reply": line})
