from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from tests.testing.pins.protocols import Line, LineClient, client_options, factory_of, wrapped
from tests.testing.pins.test_memory_observation import Question, told
from tlsdemo.testing.pins import (
    Pin,
    Subject,
    connecting,
    observe_in_memory,
    observe_on_loopback,
)
from tlsdemo.trace.model import End


class OnLoopback(TestCase):
    async def same(self, subject: Subject, *scenarios: str) -> None:
        """What is seen on sockets is what is seen in memory."""
        for scenario in scenarios:
            seen = Pin(await observe_on_loopback(reactor, subject, scenario, 2.0))
            self.assertEqual(seen.differing(Pin(observe_in_memory(subject, scenario))), [])

    def both(self, make: Callable[[], Any], *scenarios: str, **more: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(self.same(Subject(make, **more), *scenarios))

    def test_a_server_that_starts_tls(self) -> Deferred[None]:
        return self.both(
            lambda: factory_of(Line), "ok", "injection behind the request", "RST", dialect="line"
        )

    def test_a_server_behind_a_factory_that_wraps_it_in_tls(self) -> Deferred[None]:
        return self.both(
            wrapped, "truncation", "ALPN only offered", "EOF during the handshake", "garbage"
        )

    def test_a_resumed_session(self) -> Deferred[None]:
        return self.both(wrapped, "resumed")

    def test_a_client(self) -> Deferred[None]:
        return self.both(lambda: factory_of(LineClient), "ok", end=End.CLIENT, dialect="line")

    def test_a_client_of_an_endpoint(self) -> Deferred[None]:
        def connect(endpoint: Any) -> None:
            wrapClientTLS(client_options(), endpoint).connect(factory_of(Question))

        return self.both(connecting(connect), "ok", end=End.CLIENT)

    async def still_open(self) -> None:
        subject = Subject(wrapped)
        trace = await observe_on_loopback(reactor, subject, "closed by the server", 0.1)
        self.assertEqual(told(trace)[-1], "still open")
        trace = await observe_on_loopback(reactor, subject, "silent in the handshake", 0.1)
        self.assertEqual(told(trace), ["connectionMade", "still open"])

    def test_a_connection_that_does_not_end_is_given_up(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.still_open())

    async def nothing_built(self) -> None:
        class Nothing(Factory):
            noisy = False

            def buildProtocol(self, addr: object) -> None:
                return None

        trace = await observe_on_loopback(reactor, Subject(Nothing()), "resumed", 0.1)
        self.assertEqual(told(trace), ["still open"])

    def test_a_factory_that_builds_nothing(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.nothing_built())

    async def peer_outlived(self) -> None:
        class Hasty(Protocol):
            def connectionMade(self) -> None:
                transport: Any = self.transport
                reactor.callLater(0.05, transport.abortConnection)

        subject = Subject(lambda: wrapped(Hasty))
        trace = await observe_on_loopback(reactor, subject, "silent in the handshake", 0.2)
        self.assertEqual(told(trace), ["connectionMade", "connectionLost ConnectionLost"])

    def test_a_peer_that_stays_after_the_pinned_end_has_gone(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.peer_outlived())

    async def slow(self) -> None:
        with self.assertRaisesRegex(ValueError, "only possible in memory"):
            await observe_on_loopback(reactor, Subject(wrapped), "slow reader")

    def test_a_slow_reader_is_only_possible_in_memory(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.slow())
