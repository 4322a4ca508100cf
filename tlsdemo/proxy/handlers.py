"""The handlers by name."""

from __future__ import annotations

import enum
from collections.abc import Callable

from tlsdemo.proxy.backend import Backend
from tlsdemo.proxy.echo_handler import EchoHandler
from tlsdemo.proxy.handler import Handler, HandlerListener
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.proxy.sink_handler import SinkHandler
from tlsdemo.starttls.filters import ProtocolFilter


class HandlerName(enum.Enum):
    """The names of the handlers."""

    PROXY = "proxy"
    ECHO = "echo"
    SINK = "sink"


def _proxy(
    listener: HandlerListener,
    backend: Backend | None,
    protocol_filter: ProtocolFilter | None = None,
) -> Handler:
    if backend is None:
        raise ValueError("a proxy needs a backend")
    return ProxyHandler(listener, backend, protocol_filter)


HANDLERS: dict[HandlerName, Callable[..., Handler]] = {
    HandlerName.PROXY: _proxy,
    HandlerName.ECHO: lambda listener, *_backend: EchoHandler(listener),
    HandlerName.SINK: lambda listener, *_backend: SinkHandler(listener),
}
"""Functions that make a handler from its listener, the backend and the protocol filter, if any."""
