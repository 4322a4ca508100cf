"""Dialect ``ftp``: AUTH TLS (RFC 4217, with the commands of RFC 959, RFC 2228 and RFC 2389)."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, reply_code
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table

_SERVER: Table = {
    (State.START, CONNECTED): Rule(State.GREETED, b"220 {own}\r\n"),
    (State.GREETED, "FEAT"): Rule(
        State.GREETED, b"211-Extensions supported:\r\n AUTH TLS\r\n211 End\r\n"
    ),
    (State.GREETED, "NOOP"): Rule(State.GREETED, b"200 OK\r\n"),
    (State.GREETED, "QUIT"): Rule(
        State.REFUSED, b"221 Bye\r\n", Cause.PROBE, "the client sent QUIT"
    ),
    (State.GREETED, "AUTH TLS"): Rule(State.SWITCHED, b"234 Begin TLS negotiation now\r\n"),
    (State.GREETED, "AUTH …"): Rule(State.GREETED, b"504 Only AUTH TLS is known\r\n"),
    (State.GREETED, "AUTH"): Rule(State.GREETED, b"501 AUTH needs a mechanism\r\n"),
    (State.GREETED, OTHER): Rule(State.GREETED, b"530 Say AUTH TLS first\r\n"),
}


class FtpServer(CommandNegotiation):
    """The server: serves nothing but AUTH TLS in plaintext.

    The older AUTH SSL also secured the data connections, so it is answered with 504, after which
    clients that send it try AUTH TLS.
    """

    table = _SERVER
    refusal = b"421 Plain bytes where TLS was to start\r\n"
    unavailable = b"421 Service not available, try again later\r\n"


def _client_table() -> Table:
    def refused(detail: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", cause, detail)

    auth = Rule(State.REQUESTED, b"AUTH TLS\r\n")
    unknown = refused("the server answered AUTH TLS with {reply}", Cause.NO_STARTTLS)
    return {
        (State.START, "120"): Rule(State.START),
        (State.START, "220-"): Rule(State.GREETING),
        (State.START, "220"): auth,
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETING, "220"): auth,
        (State.GREETING, OTHER): Rule(State.GREETING),
        (State.REQUESTED, "234"): Rule(State.SWITCHED),
        (State.REQUESTED, "234-"): Rule(State.ANSWERED),
        (State.REQUESTED, "500"): unknown,
        (State.REQUESTED, "502"): unknown,
        (State.REQUESTED, "504"): unknown,
        (State.REQUESTED, OTHER): refused("the server answered AUTH TLS with {reply}"),
        (State.ANSWERED, "234"): Rule(State.SWITCHED),
        (State.ANSWERED, OTHER): Rule(State.ANSWERED),
    }


class FtpClient(LineNegotiation):
    """The client: requests TLS without asking for FEAT first, and continues only if it is granted.

    Only the first and the last line of a longer reply have its code (RFC 959, section 4.2).
    """

    table = _client_table()
    is_client = True
    refusal = b"QUIT\r\n"

    def _parse(self, line: bytes) -> Message:
        return Message(reply_code(line), {b"reply": line})


DIALECT = Dialect(name="ftp", server=FtpServer, client=FtpClient, source="RFC 4217")
