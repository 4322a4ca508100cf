"""Dialect ``immediate``: TLS starts as soon as the connection has been made."""

from __future__ import annotations

from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.negotiation import CONNECTED, Negotiation, Rule, State, Table

_TABLE: Table = {(State.START, CONNECTED): Rule(State.SWITCHED)}


class ImmediateServer(Negotiation):
    """The server: everything that the client sends is TLS."""

    table = _TABLE


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
