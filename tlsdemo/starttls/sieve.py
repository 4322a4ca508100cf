"""Dialect ``sieve``: STARTTLS of ManageSieve (RFC 5804, section 2.2).

Once TLS has started, the server sends its capabilities again without being asked.  That is part of
what is sent through TLS, and so the application's business.
"""

from __future__ import annotations

import re

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, ends_in_literal
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table

_CAPABILITIES = (
    b'"IMPLEMENTATION" "tlsdemo"\r\n"SASL" ""\r\n"SIEVE" ""\r\n"STARTTLS"\r\n"VERSION" "1.0"\r\n'
)
_STARTTLS = b'"STARTTLS"'
_LITERAL = "a literal"
_NOOP_WITH_TAG = "NOOP tag"
_NOOP = re.compile(rb"""NOOP ("(?:[^"\\]|\\["\\])*") *""", re.IGNORECASE)
"""The tag is a quoted string, and is repeated in the answer (RFC 5804, section 2.13)."""


_SERVER: Table = {
    (State.START, CONNECTED): Rule(State.GREETED, _CAPABILITIES + b'OK "{own}"\r\n'),
    (State.GREETED, "CAPABILITY"): Rule(State.GREETED, _CAPABILITIES + b"OK\r\n"),
    (State.GREETED, "NOOP"): Rule(State.GREETED, b"OK\r\n"),
    (State.GREETED, _NOOP_WITH_TAG): Rule(State.GREETED, b'OK (TAG {tag}) "Done"\r\n'),
    (State.GREETED, "NOOP …"): Rule(State.GREETED, b'NO "The argument of NOOP is a string"\r\n'),
    (State.GREETED, "LOGOUT"): Rule(
        State.REFUSED, b"OK\r\n", Cause.PROBE, "the client sent LOGOUT"
    ),
    (State.GREETED, "AUTHENTICATE"): Rule(
        State.GREETED, b'NO (ENCRYPT-NEEDED) "Say STARTTLS first"\r\n'
    ),
    (State.GREETED, "STARTTLS"): Rule(State.SWITCHED, b'OK "Begin TLS negotiation now"\r\n'),
    (State.GREETED, "STARTTLS …"): Rule(State.GREETED, b'NO "STARTTLS has no arguments"\r\n'),
    (State.GREETED, _LITERAL): Rule(
        State.REFUSED, b'BYE "No literals before TLS"\r\n', detail="a literal before TLS"
    ),
    (State.GREETED, OTHER): Rule(State.GREETED, b'NO "Say STARTTLS first"\r\n'),
}


class SieveServer(CommandNegotiation):
    """The server: serves nothing but STARTTLS in plaintext.

    A client sends a literal (``{5+}``) without waiting for permission.  No command before TLS needs
    one, so a literal ends the connection.
    """

    table = _SERVER
    refusal = b'BYE "Plain bytes where TLS was to start"\r\n'
    unavailable = b'BYE (TRYLATER) "Service not available"\r\n'

    def _parse(self, line: bytes) -> Message:
        if ends_in_literal(line):
            return Message(_LITERAL)
        noop = _NOOP.fullmatch(line)
        return Message(_NOOP_WITH_TAG, {b"tag": noop[1]}) if noop else super()._parse(line)


def _client_table() -> Table:
    def refused(detail: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"LOGOUT\r\n", cause, detail)

    table = {
        (State.START, "OK"): refused("the server does not offer STARTTLS", Cause.NO_STARTTLS),
        (State.START, '"…"'): Rule(State.START),
        (State.OFFERED, "OK"): Rule(State.REQUESTED, b"STARTTLS\r\n"),
        (State.OFFERED, '"…"'): Rule(State.OFFERED),
        (State.REQUESTED, "OK"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): refused("the server answered STARTTLS with {reply}"),
    }
    for state in (State.START, State.OFFERED):
        table |= {
            (state, '"STARTTLS"'): Rule(State.OFFERED),
            (state, OTHER): refused("the server greeted with {reply}"),
        }
    return table


class SieveClient(LineNegotiation):
    """The client: continues only if the server offers STARTTLS and grants it."""

    table = _client_table()
    is_client = True
    refusal = b"LOGOUT\r\n"

    def _parse(self, line: bytes) -> Message:
        if ends_in_literal(line):
            name = OTHER
        elif line.startswith(b'"'):
            name = '"STARTTLS"' if line.rstrip(b" ").upper() == _STARTTLS else '"…"'
        else:
            name = "OK" if line.split(b" ", 1)[0].upper() == b"OK" else OTHER
        return Message(name, {b"reply": line})


DIALECT = Dialect(name="sieve", server=SieveServer, client=SieveClient, source="RFC 5804")
