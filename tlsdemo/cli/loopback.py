"""Whether an endpoint string is for this machine only."""

from __future__ import annotations

from ipaddress import ip_address

from tlsdemo.cli.endpoint_strings import EndpointString
from tlsdemo.proxy.listening import PROXY_PREFIX


def is_loopback(where: str) -> bool:
    """Tell whether a server endpoint string listens only where nobody else can connect."""
    endpoint = EndpointString.split(where.removeprefix(PROXY_PREFIX))
    if endpoint.kind == "unix":
        return True
    interface = endpoint.named.get("interface", "")
    try:
        return ip_address(interface).is_loopback
    except ValueError:
        return interface == "localhost"
