from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.timeout_endpoint import TimeoutEndpoint


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

    def test_can_be_cancelled(self) -> None:
        connecting = self.connect(5)
        connecting.cancel()
        failure = self.failureResultOf(connecting)
        self.assertIsNone(failure.check(TimeoutError, CancelledError))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
