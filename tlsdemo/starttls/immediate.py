"""Dialect ``immediate``: TLS starts as soon as the connection has been made."""

from __future__ import annotations

from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.negotiation import (
    CONNECTED,
    Command,
    Negotiation,
    Rule,
    State,
    Switch,
    Table,
)

_TABLE: Table = {(State.START, CONNECTED): Rule(State.SWITCHED)}


class ImmediateServer(Negotiation):
    """The server: everything that the client sends is TLS."""

    table = _TABLE

    def start(self) -> list[Command]:
        """Return what the table says, which needs no look at it for each connection."""
        self.state = State.SWITCHED
        return [Switch()]


class ImmediateClient(Negotiation):
    """The client: sends nothing but TLS."""

    table = _TABLE
    is_client = True


DIALECT = Dialect(
    name="immediate",
    server=ImmediateServer,
    client=ImmediateClient,
    source="As in the original",
    protocol_filter=ProtocolFilter,
)
