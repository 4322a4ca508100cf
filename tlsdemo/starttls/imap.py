"""Dialect ``imap``: STARTTLS of RFC 9051, section 6.2.1, which is that of RFC 3501 as well."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, ends_in_literal
from tlsdemo.starttls.negotiation import BEGIN, OTHER, Event, Rule, State, Table

_OFFER = b"CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED"
_NO_LOGIN = b"{tag} NO [PRIVACYREQUIRED] Say STARTTLS first\r\n"

_NOT_IN_A_TAG = b'(){%*"\\+'
"""What is printable and yet not in a tag (RFC 9051, section 9: ASTRING-CHAR, but no ``+``)."""

_LITERAL = "a literal"
_NO_TAG = "no tag"


_SERVER: Table = {
    (State.START, BEGIN): Rule(State.GREETED, b"* OK [" + _OFFER + b"] tlsdemo\r\n"),
    (State.GREETED, "CAPABILITY"): Rule(
        State.GREETED, b"* " + _OFFER + b"\r\n{tag} OK CAPABILITY completed\r\n"
    ),
    (State.GREETED, "NOOP"): Rule(State.GREETED, b"{tag} OK NOOP completed\r\n"),
    (State.GREETED, "LOGOUT"): Rule(
        State.REFUSED,
        b"* BYE tlsdemo\r\n{tag} OK LOGOUT completed\r\n",
        Cause.UPGRADE_REFUSED,
        "the client said LOGOUT",
    ),
    (State.GREETED, "LOGIN"): Rule(State.GREETED, _NO_LOGIN),
    (State.GREETED, "AUTHENTICATE"): Rule(State.GREETED, _NO_LOGIN),
    (State.GREETED, "STARTTLS"): Rule(State.SWITCHED, b"{tag} OK Begin TLS negotiation now\r\n"),
    (State.GREETED, "STARTTLS …"): Rule(State.GREETED, b"{tag} BAD STARTTLS has no arguments\r\n"),
    (State.GREETED, _LITERAL): Rule(
        State.REFUSED, b"* BYE No literals before TLS\r\n", detail="a literal before TLS"
    ),
    (State.GREETED, _NO_TAG): Rule(State.GREETED, b"* BAD A command begins with a tag\r\n"),
    (State.GREETED, OTHER): Rule(State.GREETED, b"{tag} BAD Say STARTTLS first\r\n"),
}


class ImapServer(CommandNegotiation):
    """The server: nothing but STARTTLS is to be had in plain, no login above all.

    A literal would be bytes that are no line, maybe on their way before they could be turned down
    (``{5+}``); no command before TLS needs one, so it ends the connection.
    """

    table = _SERVER
    refusal = b"* BYE Plain bytes where TLS was to start\r\n"

    def _read(self, line: bytes) -> Event:
        tag, _, command = line.partition(b" ")
        if ends_in_literal(line):
            return Event(_LITERAL)
        return self._command(command, {b"tag": tag}) if _is_tag(tag) else Event(_NO_TAG)


def _is_tag(word: bytes) -> bool:
    return bool(word) and all(0x20 < each < 0x7F and each not in _NOT_IN_A_TAG for each in word)


def _client_table() -> Table:
    def refused(what: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"a3 LOGOUT\r\n", cause, what)

    bye = Rule(State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server said {reply}")
    table = {
        (State.START, "* OK"): Rule(State.GREETED, b"a1 CAPABILITY\r\n"),
        (State.START, "* PREAUTH"): refused("the server has logged us in, in plain: {reply}"),
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETED, "a1 OK"): refused("the server does not offer STARTTLS", Cause.NO_STARTTLS),
        (State.OFFERED, "a1 OK"): Rule(State.ASKED, b"a2 STARTTLS\r\n"),
        (State.ASKED, "a2 OK"): Rule(State.SWITCHED),
        (State.ASKED, OTHER): refused("the server answered STARTTLS with {reply}"),
    }
    for state in (State.START, State.GREETED, State.OFFERED, State.ASKED):
        table[state, "* BYE"] = bye
    for state in (State.GREETED, State.OFFERED):
        table |= {
            (state, "* CAPABILITY"): Rule(State.GREETED),
            (state, "* CAPABILITY with STARTTLS"): Rule(State.OFFERED),
            (state, "* …"): Rule(state),
            (state, OTHER): refused("the server answered CAPABILITY with {reply}"),
        }
    for name in ("* CAPABILITY", "* CAPABILITY with STARTTLS", "* …"):
        table[State.ASKED, name] = Rule(State.ASKED)
    return table


class ImapClient(LineNegotiation):
    """The client: asks what is offered, and goes on only if that has STARTTLS and it is agreed to.

    What the greeting says of it is not relied on.  A server that greets with PREAUTH leaves no way
    to TLS, so there is no going on (RFC 9051, section 11.1).
    """

    table = _client_table()
    is_client = True
    refusal = b"a3 LOGOUT\r\n"

    def _read(self, line: bytes) -> Event:
        words = {b"reply": line}
        if ends_in_literal(line):
            return Event(OTHER, words)
        tag, _, text = line.partition(b" ")
        said = text.upper().split(b" ")
        name = f"{_ascii(tag)} {_ascii(said[0])}"
        if tag == b"*" and self.state is not State.START and name not in ("* BYE", "* CAPABILITY"):
            name = "* …"
        if name == "* CAPABILITY" and b"STARTTLS" in said:
            name = "* CAPABILITY with STARTTLS"
        return Event(name, words)


def _ascii(word: bytes) -> str:
    return word.decode("ascii", "replace")
