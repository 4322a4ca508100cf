"""A server on loopback, its log, and peers that are not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ServerEndpoint, clientFromString, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from tests.proxy.fakes import server_settings
from tests.tls.memory_ends import ForeignPeer, foreign_client
from tlsdemo.net.addresses import address_text
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.tls import ClientAuth, Delivery, ModeName

AnyPeer = TypeVar("AnyPeer", bound="Peer")

MEBIBYTE = bytes(range(256)) * 4096


@implementer(ILogObserver)
class Log:
    """Keeps the text of what is logged, and can wait for a line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._wanted: tuple[str, Deferred[str]] | None = None

    def __call__(self, event: LogEvent) -> None:
        line = str(formatEvent(event))
        self.lines.append(line)
        if self._wanted is not None and self._wanted[0] in line:
            (_, wanted), self._wanted = self._wanted, None
            wanted.callback(line)

    def with_text(self, text: str) -> Deferred[str]:
        """Return the line that contains ``text``, once there is one."""
        found = [line for line in self.lines if text in line]
        if found:
            return succeed(found[0])
        wanted: Deferred[str] = Deferred()
        self._wanted = text, wanted
        return wanted


class Peer(Protocol):
    """A plaintext TCP peer that keeps what it receives; ``lost`` fires with the close reason."""

    def __init__(self) -> None:
        self.made: Deferred[None] = Deferred()
        self.lost: Deferred[BaseException | None] = Deferred()
        self._over: Deferred[None] = Deferred()
        self._received = bytearray()
        self._wanted: tuple[int, Deferred[bytes]] | None = None

    def connectionMade(self) -> None:
        self.made.callback(None)

    def received(self, size: int) -> Deferred[bytes]:
        """Return all that has been received, once it is ``size`` bytes."""
        wanted: Deferred[bytes] = Deferred()
        self._wanted = size, wanted
        self.take(b"")
        return wanted

    def take(self, data: bytes) -> None:
        self._received += data
        if self._wanted is not None and len(self._received) >= self._wanted[0]:
            (_, wanted), self._wanted = self._wanted, None
            wanted.callback(bytes(self._received))

    def dataReceived(self, data: bytes) -> None:
        self.take(data)

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def address(self) -> str:
        """Return our own address, as the server knows it."""
        assert self.transport is not None
        return address_text(self.transport.getHost())

    def close(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def abort(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._over.callback(None)
        self.lost.callback(reason.value)

    async def gone(self) -> None:
        """Abort the connection if it is open, and wait until it has ended."""
        if self.transport is not None:
            self.abort()
            await self._over


class TLSPeer(Peer):
    """A TLS client of the standard library; ``made`` fires when it is secure."""

    def __init__(self, tls: ForeignPeer) -> None:
        super().__init__()
        self._tls = tls
        self._is_secure = False
        self._close_notify_sent = False

    def connectionMade(self) -> None:
        self._flush()

    def _flush(self) -> None:
        assert self.transport is not None
        self.transport.write(self._tls.take())

    def dataReceived(self, data: bytes) -> None:
        self._tls.receive(data)
        self._flush()
        if self._tls.complete and not self._is_secure:
            self._is_secure = True
            self.made.callback(None)
        cleartext, self._tls.received = self._tls.received, b""
        self.take(cleartext)
        if self._tls.closed and not self._close_notify_sent:
            self.close()
        if self._tls.closed or self._tls.error:
            super().close()

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        self._close_notify_sent = True
        self._tls.close()
        self._flush()


class StatusClient(Peer):
    """A client of a status service."""

    async def ask(self, **query: object) -> Any:
        self._received.clear()
        self.send(json.dumps(query).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer = await self.received(len(answer) + 1)
        return json.loads(answer)


class EchoPeer(Peer):
    """A plaintext backend that sends back what it receives."""

    def dataReceived(self, data: bytes) -> None:
        self.take(data)
        self.send(data)


class LoopbackTestCase(TestCase):
    timeout = 20

    def setUp(self) -> None:
        self.log = Log()
        globalLogPublisher.addObserver(self.log)
        self.addCleanup(globalLogPublisher.removeObserver, self.log)

    def serve(self, mode: ModeName, delivery: Delivery | None = None, **changes: Any) -> Server:
        """Start a server, on a port that the system chooses."""
        settings = server_settings(
            mode,
            delivery,
            1 << 16,
            ClientAuth.REQUIRED,
            **{"listen": ["tcp:0:interface=127.0.0.1"], "handler": HandlerName.ECHO, **changes},
        )
        server = Server(settings, reactor)
        server.privilegedStartService()
        server.startService()
        self.addCleanup(server.stopService)
        return server

    async def backend(self, make: Callable[[], Peer]) -> str:
        """Listen as a plaintext backend; return its client endpoint string."""

        def build() -> Peer:
            peer = make()
            self.addCleanup(peer.gone)
            return peer

        endpoint: Any = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        factory: Any = Factory.forProtocol(build)
        factory.noisy = False
        self.backend_port: Any = await endpoint.listen(factory)
        self.addCleanup(self.backend_port.stopListening)
        return f"tcp:127.0.0.1:{self.backend_port.getHost().port}"

    async def connect(self, server: Server, peer: Peer) -> Peer:
        """Connect ``peer`` to the only port of ``server``."""
        (where,) = server.listening()
        return await self.connect_to(where, peer)

    async def connect_to(self, where: str, peer: AnyPeer) -> AnyPeer:
        """Connect ``peer``, which is disconnected when the test ends."""
        self.addCleanup(peer.gone)
        await connectProtocol(clientFromString(reactor, where), peer)
        return peer

    async def idle(self, server: Server) -> None:
        """Wait until ``server`` has no open connection."""
        while server.snapshot().open:
            await deferLater(reactor, 0)

    def client(self, mode: ModeName) -> Peer:
        """A peer for ``mode``, with the demonstration's client certificate."""
        return Peer() if mode is ModeName.CLEAR else TLSPeer(foreign_client())
