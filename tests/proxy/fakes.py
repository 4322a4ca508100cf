"""Fakes for the tests of the server: recording listeners, and backends in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.support import MemoryTransport, RecordingListener, certificates
from tlsdemo.close_reasons import CloseReason
from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.proxy.backend import Backend
from tlsdemo.proxy.handler import Handler
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.starttls.negotiation import MAX_LINE, MAX_PLAIN
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import (
    MODES,
    ClientAuth,
    ConnectionSettings,
    Delivery,
    ModeName,
    ServerTLS,
    StreamSetup,
    TransportOptions,
)
from tlsdemo.tls.clear_stream import ClearStream

GREETING, CLOSING = 4.0, 8.0
"""The timeouts of a waiting backend, in seconds."""


def server_settings(
    mode: ModeName,
    delivery: Delivery | None,
    high_water: int,
    client_auth: ClientAuth,
    **changes: Any,
) -> ServerSettings:
    """The settings of a server that logs no connection, with ``changes``."""
    chosen = MODES[mode]
    dialect = changes.setdefault("dialect", DIALECTS["immediate"])
    connection = ConnectionSettings(
        chosen,
        changes.pop("tls", None) or ServerTLS.build(certificates().server, client_auth),
        partial(
            dialect.auto() if changes.get("auto") else dialect.server,
            changes.get("guard", True),
            changes.pop("max_line", MAX_LINE),
            changes.pop("max_plain", MAX_PLAIN),
        ),
        chosen.transport_options(delivery, None, high_water),
        **{name: changes.pop(name) for name in ("timeouts", "max_buffer") if name in changes},
    )
    return ServerSettings(connection=connection, **{"log_first": 0, "log_every": 0, **changes})


class RecordingHandlerListener:
    """Records in ``log`` what a handler reports."""

    def __init__(self, log: list[object]) -> None:
        self.log = log

    def report(self, event: str) -> None:
        self.log.append(event)

    def backend_connected(self, host: str) -> None:
        self.log.append(f"from {host}")

    def drained(self, close_reason: CloseReason) -> None:
        self.log.append(f"drained: {close_reason}")


class WaitingBackend:
    """A TCP backend in memory, to which the connection is made by ``connect``."""

    def __init__(
        self, max_buffer: int = MAX_BUFFER, unavailable: bytes = b"", embedded: bool = False
    ) -> None:
        self._reactor = MemoryReactorClock()
        endpoint = TCP4ClientEndpoint(self._reactor, "192.0.2.9", 25)
        self.clock = self._reactor
        self.backend = Backend(
            endpoint,
            self.clock,
            GREETING,
            CLOSING,
            max_buffer,
            unavailable=unavailable,
            embedded=embedded,
        )

    @property
    def _factory(self) -> Any:
        (connecting,) = self._reactor.tcpClients
        return connecting[2]

    @property
    def given_up(self) -> bool:
        (connector,) = self._reactor.connectors
        return bool(connector.stoppedConnecting)

    def connect(self, transport: Callable[[Any], Any] = MemoryTransport) -> Any:
        """Connect over a new ``transport``, and return it."""
        protocol = self._factory.buildProtocol(IPv4Address("TCP", "192.0.2.9", 25))
        connected = transport(protocol)
        protocol.makeConnection(connected)
        return connected

    def refuse(self) -> None:
        (connector,) = self._reactor.connectors
        self._factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))


class ClearClient:
    """A client's connection to a handler in mode ``clear``: the wire, and the stream above it."""

    def __init__(self, handler: Handler, delivery: Delivery, log: list[object]) -> None:
        self.listener = RecordingListener(log, handler)
        options = TransportOptions(delivery, high_water=64)
        self.stream = ClearStream(StreamSetup(self.listener, options))
        self.wire = MemoryTransport(self.stream)
        self.stream.makeConnection(self.wire)

    def fill(self) -> bytes:
        """Send until the wire is paused, and return what has been sent."""
        sent = b""
        while not self.wire.paused:
            assert len(sent) < 1000, "the wire is not paused"
            chunk = b"%04d" % len(sent)
            sent += chunk
            self.wire.deliver(chunk)
        return sent
