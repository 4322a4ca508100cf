"""A client of IRC's STARTTLS (IRCv3 extension ``tls``): a dialect outside of tlsdemo."""

from __future__ import annotations

from typing import ClassVar

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line_negotiation import LineNegotiation
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table

_NOT_OFFERED = Rule(State.REFUSED, b"QUIT\r\n", Cause.NO_STARTTLS, "no tls in {line}")
_REFUSED = Rule(State.REFUSED, b"QUIT\r\n", Cause.UPGRADE_REFUSED, "the server said {line}")


class IrcClient(LineNegotiation):
    """Requests TLS if it is among the capabilities; a NOTICE may come at any time."""

    is_client = True
    table: ClassVar[Table] = {
        (State.START, CONNECTED): Rule(State.LISTING, b"CAP LS 302\r\n"),
        (State.LISTING, "NOTICE"): Rule(State.LISTING),
        (State.LISTING, "CAP with tls"): Rule(State.REQUESTED, b"STARTTLS\r\n"),
        (State.LISTING, "CAP"): _NOT_OFFERED,
        (State.LISTING, OTHER): _REFUSED,
        (State.REQUESTED, "NOTICE"): Rule(State.REQUESTED),
        (State.REQUESTED, "670"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): _REFUSED,
    }

    def _parse(self, line: bytes) -> Message:
        words = line.split()
        if words and words[0].startswith(b":"):
            del words[0]
        name = words[0].decode("latin-1") if words else OTHER
        if name == "CAP" and {b"tls", b":tls"} & set(words):
            name = "CAP with tls"
        return Message(name, {b"line": line})
