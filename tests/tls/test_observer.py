"""What an observer sees of a connection, in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import MemoryTransport, Recorder, RecordingListener, patch_reactor_clock
from tests.tls.memory_ends import End as OurEnd
from tests.tls.memory_ends import client_tls, foreign_client, server_tls
from tlsdemo.starttls.line import LineClient, LineServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.sniffing import AutoServer
from tlsdemo.tls import MODES, ConnectionSettings, ModeName, TLSConnection, UpgradeProtocol
from tlsdemo.tls.observed_tls import ObservedTLS
from tlsdemo.tls.observer import failure_facts
from tlsdemo.trace.connection_observer import ConnectionObserver
from tlsdemo.trace.model import Arrow, End, Mark


def reported_by(end: End, negotiation: Negotiation, *pieces: bytes) -> list[Any]:
    """Let one end receive ``pieces``; return the names of events, and the labels of records."""
    reported: list[Mark | Arrow] = []
    clock = Clock()
    observer = ConnectionObserver(end, clock.seconds, 0.0, reported.append)
    tls = server_tls() if end is End.SERVER else client_tls()
    settings = ConnectionSettings(MODES[ModeName.PAIR], tls, lambda: negotiation)
    protocol = UpgradeProtocol(settings, RecordingListener([], Recorder()), clock, observer)
    transport = MemoryTransport(protocol)
    protocol.makeConnection(transport)
    for each in pieces:
        transport.deliver(each)
    return [
        each.event.name if isinstance(each, Mark) else (each.sender, each.record.messages)
        for each in reported
        # Not every version of pyOpenSSL reports these.
        if not (isinstance(each, Mark) and each.event.name == "OpenSSL state")
    ]


class ServerTests(SynchronousTestCase):
    def test_it_reports_when_tls_is_requested_and_granted(self) -> None:
        reported = reported_by(End.SERVER, LineServer(), b"STARTTLS\r\n")
        self.assertEqual(
            reported,
            ["connected", (End.CLIENT, ("STARTTLS\\r\\n",)), "upgrade requested",
             (End.SERVER, ("OK\\r\\n",)), "upgrade granted", "pair joined", "pair connected"],
        )  # fmt: skip

    def test_a_refusal_is_not_reported_as_granted(self) -> None:
        reported = reported_by(End.SERVER, LineServer(), b"STARTTLS\r\nmore\r\n")
        self.assertIn("upgrade refused", reported)
        self.assertNotIn("upgrade granted", reported)
        self.assertNotIn("upgrade requested", reported)


class ClientTests(SynchronousTestCase):
    def test_it_reports_when_tls_is_requested_and_granted(self) -> None:
        reported = reported_by(End.CLIENT, LineClient())
        self.assertEqual(
            reported, ["connected", (End.CLIENT, ("STARTTLS\\r\\n",)), "upgrade requested"]
        )


class FailureFactsTests(SynchronousTestCase):
    def test_they_are_the_type_and_the_message(self) -> None:
        facts = failure_facts(Failure(ValueError("why")))
        self.assertEqual(facts, {"reason": "ValueError", "text": "why"})


class ObservedTLSTests(SynchronousTestCase):
    def test_it_provides_the_interfaces_of_twisted(self) -> None:
        creator = ObservedTLS(server_tls(), None)
        verifyObject(IOpenSSLServerConnectionCreator, creator)
        verifyObject(IOpenSSLClientConnectionCreator, creator)
        layer: Any = None
        for make in (creator.serverConnectionForTLS, creator.clientConnectionForTLS):
            self.assertIsInstance(make(layer), TLSConnection)


class ModeTests(SynchronousTestCase):
    def observed(self, mode: ModeName) -> OurEnd:
        self.reported: list[Mark | Arrow] = []
        self.clock = patch_reactor_clock(self)
        observer = ConnectionObserver(End.SERVER, self.clock.seconds, 0.0, self.reported.append)
        return OurEnd(mode, server_tls(), clock=self.clock, observer=observer).begin()

    @property
    def names(self) -> list[str]:
        return [each.event.name for each in self.reported if isinstance(each, Mark)]

    def test_the_first_bytes_in_each_direction_are_reported_once(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR, ModeName.WRAPPED):
            end, peer = self.observed(mode), foreign_client()
            end.exchange_with(peer)
            for _ in range(2):
                peer.write(b"ping")
                end.stream.write(b"pong")
                self.clock.advance(0)
                end.exchange_with(peer)
            self.assertEqual(peer.received, b"pongpong")
            self.assertEqual(b"".join(end.application.received), b"pingping")
            for name in ("first bytes in", "first bytes out"):
                self.assertEqual(self.names.count(name), 1, (mode, name))

    def test_the_end_is_reported(self) -> None:
        for mode in ModeName:
            self.observed(mode).transport.lose(ConnectionDone())
            last = "closed" if mode is ModeName.CLEAR else "insecure"
            self.assertEqual(self.names[-2:], ["connectionLost", last], mode)


class LeftoverTests(SynchronousTestCase):
    def test_bytes_that_the_negotiation_has_left_over_are_reported_once(self) -> None:
        hello = foreign_client().take()
        reported = reported_by(End.SERVER, AutoServer(LineServer), hello)
        self.assertEqual(reported.count((End.CLIENT, ("client_hello",))), 1, reported)
