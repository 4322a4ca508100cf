from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tlsdemo.net.timeout_endpoint import TimeoutEndpoint


@implementer(IStreamClientEndpoint)
class AtOnce:
    """An endpoint that connects within the call."""

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        protocol: Any = protocolFactory.buildProtocol(None)  # type: ignore[arg-type]
        return succeed(protocol)


@implementer(IStreamClientEndpoint)
class Stubborn:
    """An endpoint that connects when it is told to give up."""

    protocol: Any = Protocol()

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        return Deferred(lambda connecting: connecting.callback(self.protocol))


class TimeoutEndpointTests(SynchronousTestCase):
    def connect(self, seconds: float) -> Deferred[IProtocol]:
        self.reactor = MemoryReactorClock()
        endpoint = TCP4ClientEndpoint(self.reactor, "192.0.2.1", 25)
        factory = Factory.forProtocol(Protocol)
        return TimeoutEndpoint(endpoint, self.reactor, seconds).connect(factory)

    def test_connects_and_cancels_its_timer(self) -> None:
        connecting = self.connect(5)
        protocol: Any = self.reactor.tcpClients[0][2].buildProtocol(None)
        protocol.makeConnection(StringTransport())
        self.assertIsInstance(self.successResultOf(connecting), Protocol)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_fails_with_the_number_of_seconds(self) -> None:
        connecting = self.connect(5)
        self.reactor.advance(4.9)
        self.assertNoResult(connecting)
        self.reactor.advance(0.2)
        failure = self.failureResultOf(connecting, TimeoutError)
        self.assertEqual(failure.getErrorMessage(), "no answer after 5 s")
        self.assertTrue(self.reactor.connectors[0].stoppedConnecting)

    def test_has_no_limit_with_0_seconds(self) -> None:
        connecting = self.connect(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertNoResult(connecting)
        connecting.addErrback(lambda _: None)
        connecting.cancel()

    def test_one_that_connects_at_once_needs_no_timer(self) -> None:
        self.reactor = MemoryReactorClock()
        connected = TimeoutEndpoint(AtOnce(), self.reactor, 5).connect(
            Factory.forProtocol(Protocol)
        )
        self.assertIsInstance(self.successResultOf(connected), Protocol)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_one_that_connects_when_it_is_cancelled_has_connected(self) -> None:
        self.reactor = MemoryReactorClock()
        stubborn = Stubborn()
        connected = TimeoutEndpoint(stubborn, self.reactor, 5).connect(
            Factory.forProtocol(Protocol)
        )
        self.reactor.advance(5)
        self.assertIs(self.successResultOf(connected), stubborn.protocol)

    def test_can_be_cancelled(self) -> None:
        connecting = self.connect(5)
        connecting.cancel()
        failure = self.failureResultOf(connecting)
        self.assertIsNone(failure.check(TimeoutError, CancelledError))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
