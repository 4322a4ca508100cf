"""The option for the session tickets of a server."""

from __future__ import annotations

from typing import Any

from tlsdemo.cli.options import whole
from tlsdemo.tls.session_tickets import CAN_SET_NUMBER, DEFAULT_NUMBER, SessionTickets

_whole = whole(0, 16)


def session_tickets(text: str) -> int:
    """Read a number of tickets that this version of pyOpenSSL can set."""
    number = _whole(text)
    SessionTickets(number)
    return number


SESSION_TICKET_PARAMETERS: list[list[Any]] = [
    ["session-tickets", None, DEFAULT_NUMBER, "Session tickets to send to each client, with which "
     "it can resume its session; 0 for none, which makes a handshake cheaper."
     f"{'' if CAN_SET_NUMBER else ' This pyOpenSSL can send 0 or 2.'}", session_tickets],
]  # fmt: skip
