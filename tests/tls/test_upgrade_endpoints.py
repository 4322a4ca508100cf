from __future__ import annotations

import gc
from typing import Any
from weakref import ref

from twisted.internet import defer, reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
)
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.support import MemoryTransport
from tests.tls.memory_ends import client_tls, foreign_server, server_tls
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import (
    MODES,
    ConnectionSettings,
    Insecure,
    ModeName,
    UpgradeClientEndpoint,
    UpgradeServerEndpoint,
)

LOOPBACK = "127.0.0.1"


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class Asker(Protocol):
    """Says hello, and waits for the same."""

    def __init__(self) -> None:
        self.answer: Deferred[bytes] = Deferred()
        self.over: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        self.answer.callback(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.over.callback(None)


class EndpointCase(TestCase):
    """Real sockets of the loopback interface."""

    @inlineCallbacks
    def listen(self, endpoint: Any, factory: Factory) -> Any:
        port = yield endpoint.listen(factory)
        self.addCleanup(port.stopListening)
        defer.returnValue(port.getHost().port)

    @inlineCallbacks
    def asked(self, endpoint: Any) -> Any:
        asker = yield endpoint.connect(Factory.forProtocol(Asker))
        answer = yield asker.answer
        asker.transport.loseConnection()
        yield asker.over
        defer.returnValue(answer)


def settings(tls: Any, dialect: str, mode: ModeName = ModeName.PAIR) -> ConnectionSettings:
    found = DIALECTS[dialect]
    return ConnectionSettings(MODES[mode], tls, found.client if tls.is_client else found.server)


class UpgradeEndpointTests(EndpointCase):
    @inlineCallbacks
    def test_any_factory_is_served_and_connected_through_starttls(self) -> Any:
        for mode in (ModeName.PAIR, ModeName.STARTTLS):
            server = UpgradeServerEndpoint(
                TCP4ServerEndpoint(reactor, 0, interface=LOOPBACK),
                settings(server_tls(), "smtp", mode),
                reactor,
            )
            port = yield self.listen(server, Factory.forProtocol(Echo))
            client = UpgradeClientEndpoint(
                TCP4ClientEndpoint(reactor, LOOPBACK, port),
                settings(client_tls(), "smtp", mode),
                reactor,
            )
            answer = yield self.asked(client)
            self.assertEqual(answer, b"hello")

    @inlineCallbacks
    def test_a_client_fails_with_the_reason(self) -> Any:
        server = UpgradeServerEndpoint(
            TCP4ServerEndpoint(reactor, 0, interface=LOOPBACK),
            settings(server_tls(), "smtp"),
            reactor,
        )
        port = yield self.listen(server, Factory.forProtocol(Echo))
        tls = client_tls("other.example")
        client = UpgradeClientEndpoint(
            TCP4ClientEndpoint(reactor, LOOPBACK, port),
            settings(tls, "smtp"),
            reactor,
        )
        failure = yield self.assertFailure(client.connect(Factory.forProtocol(Asker)), Insecure)
        self.assertIn("not valid for other.example", str(failure))

    @inlineCallbacks
    def test_a_refused_connection_is_the_endpoints_own_failure(self) -> Any:
        endpoint = TCP4ServerEndpoint(reactor, 0, interface=LOOPBACK)
        listening = yield endpoint.listen(Factory.forProtocol(Echo))
        port = listening.getHost().port
        yield listening.stopListening()
        client = UpgradeClientEndpoint(
            TCP4ClientEndpoint(reactor, LOOPBACK, port),
            settings(client_tls(), "smtp"),
            reactor,
        )
        yield self.assertFailure(client.connect(Factory.forProtocol(Asker)), ConnectionRefusedError)


class FakeEndpoint:
    """Gives the factory away."""

    def __init__(self) -> None:
        self.result: Deferred[Any] = Deferred()

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factory = factory
        return self.result

    listen = connect


class AttemptTests(SynchronousTestCase):
    def test_a_connection_that_has_ended_is_freed_at_once(self) -> None:
        # Not only when reference cycles are collected.
        gc.disable()
        self.addCleanup(gc.enable)
        for server_name, at_once in (
            ("localhost", True),
            ("localhost", False),
            ("other.example", True),
        ):
            inner: Any = FakeEndpoint()
            inner_settings = settings(client_tls(server_name), "immediate")
            result = UpgradeClientEndpoint(inner, inner_settings, Clock()).connect(
                Factory.forProtocol(Asker)
            )
            made: list[Any] = []
            result.addBoth(made.append)
            protocol = inner.factory.buildProtocol(None)
            kept = ref(protocol)
            transport, peer = MemoryTransport(protocol), foreign_server()
            transport.connect()
            # An endpoint may tell of a connection when it is secure already.
            if at_once:
                inner.result.callback(protocol)
            while flight := transport.take():
                peer.deliver(flight)
                transport.deliver(peer.take())
            if not at_once:
                inner.result.callback(protocol)
            del protocol
            transport.lose(ConnectionDone())
            self.assertIsInstance(made.pop(), Asker if server_name == "localhost" else Failure)
            transport.protocol = None
            del transport
            self.assertIsNone(kept(), server_name)


class CancelTests(SynchronousTestCase):
    def connecting(self) -> tuple[Any, Deferred[Any]]:
        inner: Any = FakeEndpoint()
        endpoint = UpgradeClientEndpoint(inner, settings(client_tls(), "smtp"), Clock())
        return inner, endpoint.connect(Factory.forProtocol(Asker))

    def test_a_connection_that_is_not_made_yet_is_given_up(self) -> None:
        inner, result = self.connecting()
        result.cancel()
        self.failureResultOf(result, defer.CancelledError)
        self.assertTrue(inner.result.called)

    def test_a_connection_that_is_not_secure_yet_is_closed(self) -> None:
        inner, result = self.connecting()
        protocol = inner.factory.buildProtocol(None)
        transport = MemoryTransport(protocol)
        transport.connect()
        inner.result.callback(protocol)
        result.cancel()
        self.failureResultOf(result, defer.CancelledError)
        transport.turn()
        self.assertFalse(transport.connected)

    def test_a_factory_may_refuse_a_connection(self) -> None:
        inner: Any = FakeEndpoint()
        factory: Any = Factory()
        factory.buildProtocol = lambda _address: None
        UpgradeServerEndpoint(inner, settings(server_tls(), "smtp"), Clock()).listen(factory)
        self.assertIsNone(inner.factory.buildProtocol(None))
