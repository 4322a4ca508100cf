"""Addresses as text: the one that identifies a connection, and the one that leads to a port."""

from __future__ import annotations

import os

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.interfaces import IAddress


def address_text(address: IAddress) -> str:
    """Write an address as ``host:port``, which tells one end of a TCP connection from all others.

    Addresses of other kinds are written as they print.
    """
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    return str(address)


def endpoint_text(address: IAddress) -> str:
    """Write an address as the client endpoint string that leads to it.

    Raises ValueError for an address that is neither of TCP nor of a UNIX socket.
    """
    if isinstance(address, IPv4Address | IPv6Address):
        return f"tcp:{quoteStringArgument(address.host)}:{address.port}"
    if isinstance(address, UNIXAddress):
        return f"unix:{quoteStringArgument(os.fsdecode(address.name or b''))}"
    raise ValueError(f"{address} is neither of TCP nor of a UNIX socket")
