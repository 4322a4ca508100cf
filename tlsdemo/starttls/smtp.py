"""Dialects ``smtp`` and ``lmtp``: STARTTLS of RFC 3207, in the words of RFC 5321 and RFC 2033."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, reply_code
from tlsdemo.starttls.negotiation import BEGIN, OTHER, Event, Rule, State, Table

_OFFER = b"250-tlsdemo\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n"
_FIRST = b"530 5.7.0 Must issue a STARTTLS command first\r\n"


def _server_table(protocol: bytes, hello: str, not_hello: tuple[str, ...]) -> Table:
    """Return the table of a server; ``not_hello`` is what the other protocol's clients say.

    Before TLS only these commands are served, and all others get 530 (RFC 3207, section 4).
    """
    name = hello.encode("ascii")
    table = {(State.START, BEGIN): Rule(State.GREETED, b"220 tlsdemo " + protocol + b"\r\n")}
    for state in (State.GREETED, State.HELLO):
        table |= {
            (state, f"{hello} …"): Rule(State.HELLO, _OFFER),
            (state, hello): Rule(state, b"501 5.5.4 " + name + b" needs your name\r\n"),
            (state, "NOOP"): Rule(state, b"250 2.0.0 OK\r\n"),
            (state, "QUIT"): Rule(
                State.REFUSED, b"221 2.0.0 Bye\r\n", Cause.UPGRADE_REFUSED, "the client said QUIT"
            ),
            (state, "STARTTLS …"): Rule(state, b"501 5.5.4 STARTTLS has no parameters\r\n"),
            (state, OTHER): Rule(state, _FIRST),
        }
        for other in not_hello:
            text = b"500 5.5.1 This is " + protocol + b": say " + name + b"\r\n"
            table[state, other] = Rule(state, text)
    table[State.GREETED, "STARTTLS"] = Rule(State.GREETED, b"503 5.5.1 Say " + name + b" first\r\n")
    table[State.HELLO, "STARTTLS"] = Rule(State.SWITCHED, b"220 2.0.0 Ready to start TLS\r\n")
    return table


class SmtpServer(CommandNegotiation):
    """The server of RFC 3207: nothing but a greeting and STARTTLS is to be had in plain.

    STARTTLS belongs to what EHLO has offered, so it is out of sequence before it; HELO offers
    nothing.
    """

    table = _server_table(b"ESMTP", "EHLO", ("LHLO",))
    refusal = b"421 4.7.0 tlsdemo closes: plain bytes where TLS was to start\r\n"


class LmtpServer(SmtpServer):
    """The same with LHLO, which is there to tell the two protocols apart (RFC 2033, 4.1)."""

    table = _server_table(b"LMTP", "LHLO", ("EHLO", "HELO"))


def _client_table(hello: bytes) -> Table:
    def refused(what: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", cause, what)

    starttls = Rule(State.ASKED, b"STARTTLS\r\n")
    answer = "the server answered the hello with {reply}"
    return {
        (State.START, "220-"): Rule(State.START),
        (State.START, "220"): Rule(State.GREETED, hello + b" tlsdemo\r\n"),
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETED, "250-"): Rule(State.GREETED),
        (State.GREETED, "250-STARTTLS"): Rule(State.OFFERED),
        (State.GREETED, "250 STARTTLS"): starttls,
        (State.GREETED, "250"): refused("the server does not offer STARTTLS", Cause.NO_STARTTLS),
        (State.GREETED, "500"): refused(answer, Cause.NO_STARTTLS),
        (State.GREETED, "502"): refused(answer, Cause.NO_STARTTLS),
        (State.GREETED, OTHER): refused(answer),
        (State.OFFERED, "250-"): Rule(State.OFFERED),
        (State.OFFERED, "250-STARTTLS"): Rule(State.OFFERED),
        (State.OFFERED, "250 STARTTLS"): starttls,
        (State.OFFERED, "250"): starttls,
        (State.OFFERED, OTHER): refused(answer),
        (State.ASKED, "220-"): Rule(State.ASKED),
        (State.ASKED, "220"): Rule(State.SWITCHED),
        (State.ASKED, OTHER): refused("the server answered STARTTLS with {reply}"),
    }


class SmtpClient(LineNegotiation):
    """The client of RFC 3207, which goes on only if the server offers TLS and agrees to it."""

    table = _client_table(b"EHLO")
    is_client = True
    refusal = b"QUIT\r\n"

    def _read(self, line: bytes) -> Event:
        name = reply_code(line)
        if name in ("250", "250-") and line[4:].strip(b" ").upper() == b"STARTTLS":
            name = f"{name:4}STARTTLS"
        return Event(name, {b"reply": line})


class LmtpClient(SmtpClient):
    """The same with LHLO (RFC 2033)."""

    table = _client_table(b"LHLO")
