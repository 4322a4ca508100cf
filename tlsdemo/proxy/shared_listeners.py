"""Listening sockets that several worker processes share.

Theory of operation.  The parent binds, so that a worker needs no privileges, and a port that is in
use is an error at start.  On a TCP port of Linux it binds one socket for each worker, all with
SO_REUSEPORT (socket(7)): the kernel spreads the connections evenly, whereas workers that accept
from one socket take them by the hundred.  What listens otherwise, as a UNIX socket does, is one
socket for all.

The parent keeps all of them open and accepts from none.  So connections that come while a worker is
being replaced wait in the backlog of its socket, and its successor accepts them.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, ILoggingContext
from twisted.internet.protocol import Factory
from zope.interface import implementer

from tlsdemo.proxy.listening import ADOPTED, PROXY_PREFIX, CannotStart, listen

_SHARED = ("tcp", "tcp6", "unix", "systemd")
"""The endpoints that are a socket, and nothing else."""


class SharedListeners:
    """The sockets of the endpoint strings ``where``, for ``count`` workers.

    Raises:
        CannotStart: If one of them cannot be listened on, or is no socket.
    """

    def __init__(self, reactor: Any, where: Sequence[str], count: int) -> None:
        self._groups: list[list[Any]] = []
        self._prefixes = [PROXY_PREFIX if each.startswith(PROXY_PREFIX) else "" for each in where]
        try:
            for each in where:
                self._groups.append(_listen(reactor, each.removeprefix(PROXY_PREFIX), count))
        except CannotStart:
            self.close()
            raise

    def addresses(self) -> list[IAddress]:
        """Return where clients can connect."""
        return [group[0].getHost() for group in self._groups]

    def descriptors(self, index: int) -> list[int]:
        """Return the file descriptors of the sockets for worker ``index``, from 0."""
        return [group[index % len(group)].fileno() for group in self._groups]

    def endpoints(self) -> list[str]:
        """Return the endpoint strings by which a worker listens on its descriptors, from 3."""
        domains = [_domain(group[0].socket.family) for group in self._groups]
        return [
            f"{prefix}{ADOPTED}:{domain}:{descriptor}"
            for descriptor, (prefix, domain) in enumerate(
                zip(self._prefixes, domains, strict=True), start=3
            )
        ]

    def close(self) -> Deferred[Any]:
        """Close the sockets here; the Deferred fires when that is done."""
        ports = [port for group in self._groups for port in group]
        return gatherResults([maybeDeferred(port.stopListening) for port in ports])


def _listen(reactor: Any, where: str, count: int) -> list[Any]:
    kind = where.partition(":")[0]
    if kind not in _SHARED:
        raise CannotStart(
            f"cannot listen on {where}: several workers share a socket, and {kind}: is something "
            f"else; use {', '.join(f'{each}:' for each in _SHARED)} or --workers=1"
        )
    spreading = _SpreadingReactor(reactor, count)
    port = listen(spreading, where, _NoFactory())
    group: list[Any] = [*spreading.ports] or [port]
    for each in group:
        each.stopReading()
    return group


def _domain(family: int) -> str:
    return socket.AddressFamily(family).name.removeprefix("AF_")


@implementer(ILoggingContext)
class _NoFactory(Factory):
    """The parent accepts no connections."""

    noisy = False

    def logPrefix(self) -> str:
        return "a socket of the server"


class _SpreadingReactor:
    """A reactor whose ``listenTCP`` binds ``count`` sockets, which are then in ``ports``."""

    def __init__(self, reactor: Any, count: int) -> None:
        self._reactor = reactor
        self._count = count
        self.ports: list[tcp.Port] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        if not sys.platform.startswith("linux"):
            listening: IListeningPort = self._reactor.listenTCP(port, factory, backlog, interface)
            return listening
        _check_free(port, interface)
        for _ in range(self._count):
            each = _ReusablePort(port, factory, backlog, interface, self._reactor)
            each.startListening()
            self.ports.append(each)
            port = each.getHost().port
        return self.ports[0]


class _ReusablePort(tcp.Port):
    """A port that others of this user may bind as well."""

    def createInternetSocket(self) -> socket.socket:
        bare: socket.socket = super().createInternetSocket()
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return bare


def _check_free(port: int, interface: str) -> None:
    """Raise CannotListenError if another server has the port, even one that would share it."""
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((interface, port))
        except OSError as problem:
            raise CannotListenError(interface, port, problem) from None
