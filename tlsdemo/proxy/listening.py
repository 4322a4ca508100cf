"""Listening on an endpoint that is given as a string."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, ILoggingContext, IProtocolFactory
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python.failure import Failure
from zope.interface import implementer

BACKLOG = 512
"""Connections that may wait to be accepted; with Twisted's 50, a burst of clients is delayed."""

PROXY_PREFIX = "haproxy:"
"""Stands before an endpoint string whose connections begin with a header of the PROXY protocol."""

ADOPTED = "adopted"
"""An endpoint of ours: ``adopted:INET:3`` is the listening socket with file descriptor 3."""

_SOCKETS = ("tcp", "tcp6", "unix", "systemd", ADOPTED)
"""Endpoints that have the factory make the protocol of the socket itself."""

_ONE_CONNECTION = ("stdio",)
"""Endpoints that are one connection already, and begin it when they are to listen."""


class CannotStart(Exception):
    """The server cannot start; the message is one line with the reason."""


def listen(
    reactor: Any, where: str, factory: IProtocolFactory, socket_for: str = ""
) -> IListeningPort:
    """Listen on the endpoint ``where``.

    ``socket_for``: what needs each connection's socket; empty if a connection may have something
    else between it and the socket, as with ``ssl:``.

    Raises CannotStart if that is not possible.
    """
    kind = where.partition(":")[0]
    if kind in _ONE_CONNECTION:
        raise CannotStart(f"cannot listen on {where}: the endpoint accepts no connections")
    given = factory if kind in _SOCKETS else _ClosingFactory(factory)
    result: list[Any] = []
    endpoint = _endpoint(reactor, where)
    maybeDeferred(endpoint.listen, given).addBoth(result.append)
    outcome = result[0] if result else None
    if isinstance(outcome, Failure):
        raise CannotStart(f"cannot listen on {where}: {_reason(outcome)}")
    if outcome is None:
        raise CannotStart(f"cannot listen on {where}: the endpoint does not answer at once")
    if not IListeningPort.providedBy(outcome):
        raise CannotStart(f"cannot listen on {where}: the endpoint accepts no connections")
    above = getattr(outcome, "factory", given)
    if socket_for and above is not given:
        maybeDeferred(outcome.stopListening)
        raise CannotStart(
            f"cannot listen on {where}: {socket_for} needs the socket itself, and the endpoint "
            f"puts a {type(above).__name__} before it; use tcp:, tcp6:, unix: or systemd:"
        )
    port: IListeningPort = outcome
    return port


def _endpoint(reactor: Any, where: str) -> Any:
    kind, _, rest = where.partition(":")
    if kind != ADOPTED:
        return serverFromString(reactor, with_backlog(where))
    domain, _, descriptor = rest.partition(":")
    family = socket.AddressFamily[f"AF_{domain}"]
    return AdoptedStreamServerEndpoint(reactor, int(descriptor), family)


def with_backlog(where: str) -> str:
    """Add our backlog to an endpoint string of a type that can have one, unless it has one."""
    kind = where.partition(":")[0]
    if kind in ("tcp", "tcp6", "ssl", "unix") and "backlog=" not in where:
        return f"{where}:backlog={BACKLOG}"
    return where


def with_private_mode(where: str) -> str:
    """Have a UNIX socket that is only for this user, unless the endpoint string has a mode."""
    return f"{where}:mode=600" if where.startswith("unix:") and ":mode=" not in where else where


def _reason(failure: Failure) -> str:
    error = failure.value
    if isinstance(error, CannotListenError):
        error = error.socketError
    return getattr(error, "strerror", None) or str(error)


@implementer(ILoggingContext)
class _ClosingFactory(ServerFactory):
    """Closes a connection if ``factory`` makes no protocol for it.

    Twisted closes a socket that gets no protocol.  But a factory that wraps another wraps the
    ``None`` as well, and the connection stays open.
    """

    noisy = False

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory

    def logPrefix(self) -> str:
        context = ILoggingContext(self._factory, None)
        return "the server" if context is None else context.logPrefix()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol = self._factory.buildProtocol(addr)  # type: ignore[arg-type]
        return _Closing() if protocol is None else protocol


class _Closing(Protocol):
    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()
