"""Dialect ``immediate``: no words, and TLS as soon as the connection has been made."""

from __future__ import annotations

from tlsdemo.starttls.negotiation import BEGIN, Negotiation, Rule, State, Table

_TABLE: Table = {(State.START, BEGIN): Rule(State.SWITCHED)}


class ImmediateServer(Negotiation):
    """The server: whatever the client sends is TLS."""

    table = _TABLE


class ImmediateClient(Negotiation):
    """The client: nothing but TLS is ever sent."""

    table = _TABLE
    is_client = True
