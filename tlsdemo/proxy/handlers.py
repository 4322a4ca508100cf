"""The catalogue of roles: by name, what is done with a connection's cleartext."""

from __future__ import annotations

import enum
from collections.abc import Callable

from tlsdemo.proxy.backend import Backend
from tlsdemo.proxy.echo_handler import Echo
from tlsdemo.proxy.handler import Handler, Owner
from tlsdemo.proxy.proxy_handler import Proxy
from tlsdemo.proxy.sink_handler import Sink
from tlsdemo.starttls.filters import ProtocolFilter


class HandlerName(enum.Enum):
    """The names of the roles."""

    PROXY = "proxy"
    ECHO = "echo"
    SINK = "sink"


def _proxy(
    owner: Owner, backend: Backend | None, protocol_filter: ProtocolFilter | None = None
) -> Handler:
    if backend is None:
        raise ValueError("a proxy needs a backend")
    return Proxy(owner, backend, protocol_filter)


HANDLERS: dict[HandlerName, Callable[..., Handler]] = {
    HandlerName.PROXY: _proxy,
    HandlerName.ECHO: lambda owner, *_backend: Echo(owner),
    HandlerName.SINK: lambda owner, *_backend: Sink(owner),
}
"""How a role is made: of its owner, and for those who have a backend that and its handover."""
