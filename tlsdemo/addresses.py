"""Addresses as text: the one that identifies a connection, and the one that leads to a port."""

from __future__ import annotations

import os
from typing import Any

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


def without_delay(transport: Any) -> None:
    """Have each write sent at once, where ``transport`` is of TCP (TCP_NODELAY, tcp(7)).

    To wait for more, as TCP does by itself, costs each turn of a conversation some 40 ms.
    """
    set_no_delay = getattr(transport, "setTcpNoDelay", None)
    if set_no_delay is not None:
        set_no_delay(True)
