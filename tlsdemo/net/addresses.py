"""Addresses as text: as identifiers of connections, and as client endpoint strings."""

from __future__ import annotations

import os

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.interfaces import IAddress


def address_text(address: IAddress) -> str:
    """Return ``host:port``, which identifies one end of a TCP connection.

    For addresses other than those of TCP, return their ``str``.
    """
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    return str(address)


def page_address(address: IAddress, secure: bool = False) -> str:
    """Return the address of a page for a browser; for what is no TCP socket, the endpoint string.

    ``secure``: whether it begins with TLS.
    """
    if not isinstance(address, IPv4Address | IPv6Address):
        return endpoint_text(address)
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = anywhere.get(address.host, address.host)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{address.port}/"


def endpoint_text(address: IAddress) -> str:
    """Return the client endpoint string that connects to an address.

    Raises ValueError if it is the address neither of a TCP nor of a UNIX socket.
    """
    if isinstance(address, IPv4Address | IPv6Address):
        return f"tcp:{quoteStringArgument(address.host)}:{address.port}"
    if isinstance(address, UNIXAddress):
        return f"unix:{quoteStringArgument(os.fsdecode(address.name or b''))}"
    raise ValueError(f"{address} is the address neither of a TCP nor of a UNIX socket")
