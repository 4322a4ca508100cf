"""A server on a reactor without sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import server_settings
from tests.support import MemoryTransport
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.tls import ClientAuth, ModeName


class MemoryReactor(MemoryReactorClock):
    """A reactor that keeps the ports it no longer listens on in ``stopped``."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped: list[int] = []

    def listenTCP(self, port: int, *arguments: Any, **named: Any) -> Any:
        listening = super().listenTCP(port, *arguments, **named)
        listening.stopListening = lambda: self.stopped.append(port)
        return listening


class ServerInMemory(SynchronousTestCase):
    """A test case with a server, by default a sink in mode ``clear``."""

    def setUp(self) -> None:
        self.reactor = MemoryReactor()
        self.cpu = 0.0

    def server(self, **changes: Any) -> Server:
        settings = server_settings(
            changes.pop("mode", ModeName.CLEAR),
            changes.pop("delivery", None),
            64,
            ClientAuth.NONE,
            **{"listen": ["tcp:8899:interface=127.0.0.1"], "handler": HandlerName.SINK, **changes},
        )
        return Server(settings, self.reactor, lambda: self.cpu)

    def started(self, **changes: Any) -> Server:
        server = self.server(**changes)
        server.privilegedStartService()
        server.startService()
        return server

    def fail_handshake(self, peer: int) -> None:
        """Have a connection end within its ClientHello."""
        wire = self.accepted(peer)
        wire.deliver(b"\x16")
        wire.lose(ConnectionDone())

    def accepted(
        self,
        peer: int,
        host: str = "192.0.2.1",
        port: int = 8899,
        make: Callable[[Any], Any] = MemoryTransport,
    ) -> Any:
        """The wire of a connection from ``host`` and ``peer``, just accepted on ``port``."""
        protocol = self._factory(port).buildProtocol(IPv4Address("TCP", host, peer))
        transport = make(protocol)
        protocol.makeConnection(transport)
        return transport

    def _factory(self, port: int) -> Any:
        (factory,) = (each[1] for each in self.reactor.tcpServers if each[0] == port)
        return factory

    def backend_connected(self, make: Callable[[Any], Any] = MemoryTransport) -> Any:
        """Our transport towards a backend that has just been connected."""
        protocol: Any = self.reactor.tcpClients[-1][2].buildProtocol(None)
        transport = make(protocol)
        protocol.makeConnection(transport)
        return transport

    def ask(self, **query: object) -> Any:
        """The answer of the status service on port 8898."""
        protocol = self._factory(8898).buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(json.dumps(query).encode() + b"\n")
        protocol.connectionLost()
        return json.loads(transport.value())

    def logged_in(self, seconds: float = 5) -> list[LogEvent]:
        """The events that are logged in ``seconds``."""
        with capturedLogs() as events:
            self.reactor.advance(seconds)
        return list(events)

    @contextmanager
    def lines(self) -> Iterator[list[str]]:
        """The lines that are logged within."""
        text: list[str] = []
        with capturedLogs() as events:
            yield text
        text.extend(str(formatEvent(event)) for event in events)
