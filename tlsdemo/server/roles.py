"""The catalogue of roles: by name, what is done with a connection's cleartext."""

from __future__ import annotations

import enum
from collections.abc import Callable

from tlsdemo.server.backend import Backend
from tlsdemo.server.echo import Echo
from tlsdemo.server.proxy import Proxy
from tlsdemo.server.role import Owner, Role
from tlsdemo.server.sink import Sink
from tlsdemo.upgrade.handover import Handover


class RoleName(enum.Enum):
    """The names of the roles."""

    PROXY = "proxy"
    ECHO = "echo"
    SINK = "sink"


def _proxy(owner: Owner, backend: Backend | None, handover: Handover | None = None) -> Role:
    if backend is None:
        raise ValueError("a proxy needs a backend")
    return Proxy(owner, backend, handover)


ROLES: dict[RoleName, Callable[..., Role]] = {
    RoleName.PROXY: _proxy,
    RoleName.ECHO: lambda owner, *_backend: Echo(owner),
    RoleName.SINK: lambda owner, *_backend: Sink(owner),
}
"""How a role is made: of its owner, and for those who have a backend that and its handover."""
