from __future__ import annotations

import doctest
from collections.abc import Iterator
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import MemoryTransport, Recorder, RecordingProducer, certificates, exchange
from tests.tls import delivery_contract, handshake_contract, pull_contract, sending_contract
from tests.tls.memory_ends import PairEnd, client_tls, joined_pairs, server_tls
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.tls import (
    ClientTLS,
    ConnectionInfo,
    Delivery,
    Insecure,
    ModeName,
    SecurePair,
    Send,
    ServerTLS,
    TransportOptions,
)


class HandshakeTests(handshake_contract.HandshakeContract):
    mode = ModeName.PAIR


class DeliveryTests(delivery_contract.DeliveryContract):
    mode = ModeName.PAIR


class PullTests(pull_contract.PullContract):
    mode = ModeName.PAIR


class SendingTests(sending_contract.SendingContract):
    mode = ModeName.PAIR


class ExampleTests(SynchronousTestCase):
    def test_the_docstring_example_works(self) -> None:
        names = {
            "ClientTLS": ClientTLS,
            "SecurePair": SecurePair,
            "ServerTLS": ServerTLS,
            "certificates": certificates(),
        }
        (example,) = doctest.DocTestFinder(recurse=False).find(SecurePair, globs=names)
        output: list[str] = []
        failed, attempted = doctest.DocTestRunner().run(example, out=output.append)
        self.assertEqual(failed, 0, "".join(output))
        self.assertGreater(attempted, 10)


class PairTests(SynchronousTestCase):
    def test_data_is_sent_in_both_directions(self) -> None:
        server, client = joined_pairs()
        server.pair.cleartext.write(b"from the server")
        client.pair.cleartext.write(b"from the client")
        exchange(server.transport, client.transport)
        self.assertEqual((server.log, client.log), ([b"from the client"], [b"from the server"]))

    def test_both_sides_end_cleanly(self) -> None:
        server, client = joined_pairs()
        client.pair.cleartext.loseConnection()
        exchange(server.transport, client.transport)
        self.assertEqual((server.log, client.log), (["lost: ConnectionDone"],) * 2)

    def test_an_abort_is_not_a_clean_end(self) -> None:
        server, client = joined_pairs()
        client.pair.cleartext.abortConnection()
        exchange(server.transport, client.transport)
        self.assertEqual((server.log, client.log), (["lost: ConnectionLost"],) * 2)

    def test_small_writes_are_joined_by_the_clock_if_buffered(self) -> None:
        clock = Clock()
        server, client = joined_pairs(
            PairEnd(
                server_tls(), transport_options=TransportOptions(send=Send.BUFFERED), clock=clock
            )
        )
        server.pair.cleartext.write(b"one")
        server.pair.cleartext.write(b"two")
        exchange(server.transport, client.transport)
        self.assertEqual(client.log, [])
        clock.advance(0)
        exchange(server.transport, client.transport)
        self.assertEqual(client.log, [b"onetwo"])

    @settings(max_examples=60, database=None)
    @given(
        records=st.lists(st.binary(min_size=1, max_size=40), max_size=8),
        sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6),
        delivery=st.sampled_from([Delivery.RECORD, Delivery.COALESCED]),
    )
    def test_data_is_the_same_in_segments_of_any_size(
        self, records: list[bytes], sizes: list[int], delivery: Delivery
    ) -> None:
        server = PairEnd(server_tls(), transport_options=TransportOptions(delivery)).begin()
        client = PairEnd(client_tls()).begin()
        cuts = cycle(sizes)
        exchange_in_pieces(server.transport, client.transport, cuts)
        for record in records:
            client.pair.cleartext.write(record)
        client.pair.cleartext.loseConnection()
        exchange_in_pieces(server.transport, client.transport, cuts)
        exchange(server.transport, client.transport)
        received = server.application.received
        self.assertEqual(server.log, ["secure", "connected", *received, "lost: ConnectionDone"])
        self.assertEqual(b"".join(received), b"".join(records))
        if delivery is Delivery.RECORD:
            self.assertEqual(received, records)


def exchange_in_pieces(one: MemoryTransport, other: MemoryTransport, cuts: Iterator[int]) -> None:
    while (from_one := one.take()) + (from_other := other.take()):
        for data, target in ((from_one, other), (from_other, one)):
            while data:
                cut = next(cuts)
                target.deliver(data[:cut])
                data = data[cut:]


class NestedPairTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.server, self.client = PairEnd(server_tls()), PairEnd(client_tls())
        self.wires = []
        for tls, inner in ((server_tls(), self.server), (client_tls(), self.client)):
            outer = SecurePair(tls, inner.pair.encrypted)
            self.wires.append(MemoryTransport(outer.encrypted))
            outer.encrypted.makeConnection(self.wires[-1])
        self.exchange()
        for end in (self.server, self.client):
            self.assertEqual(end.log, ["secure", "connected"])
            end.log.clear()

    def exchange(self) -> None:
        exchange(*self.wires)

    def test_data_is_sent_and_both_end_cleanly(self) -> None:
        self.client.pair.cleartext.write(b"twice encrypted")
        self.client.pair.cleartext.loseConnection()
        self.exchange()
        self.assertEqual(self.server.log, [b"twice encrypted", "lost: ConnectionDone"])
        self.assertEqual(self.client.log, ["lost: ConnectionDone"])

    def test_losing_the_wire_is_reported_through_both(self) -> None:
        self.wires[0].lose(ConnectionLost())
        self.assertEqual(self.server.log, ["lost: ConnectionLost"])

    def test_the_wire_is_paused_through_both(self) -> None:
        self.server.application.on_data = lambda data: self.server.pair.cleartext.pauseProducing()
        for data in (b"one", b"two"):
            self.client.pair.cleartext.write(data)
            self.exchange()
        self.assertTrue(self.wires[0].paused)
        self.assertEqual(self.server.log, [b"one"])
        self.server.application.on_data = lambda data: None
        self.server.pair.cleartext.resumeProducing()
        self.assertFalse(self.wires[0].paused)
        self.exchange()
        self.assertEqual(self.server.log, [b"one", b"two"])

    def test_a_producer_is_paused_through_both(self) -> None:
        producer = RecordingProducer()
        self.server.pair.cleartext.registerProducer(producer, True)
        self.wires[0].producer.pauseProducing()
        self.assertEqual(producer.log, ["pause"])


class SecuredTests(SynchronousTestCase):
    def handshake(self, server: PairEnd) -> None:
        client = PairEnd(client_tls()).begin()
        exchange(server.begin().transport, client.transport)

    def test_it_fires_for_every_call_before_and_after_the_handshake(self) -> None:
        server = PairEnd(server_tls())
        before = [server.pair.secured(), server.pair.secured()]
        self.assertNoResult(before[0])
        self.handshake(server)
        for deferred in (*before, server.pair.secured()):
            info = self.successResultOf(deferred)
            self.assertEqual(info.version, "TLSv1.3")

    def test_it_fires_when_cleartext_can_be_written_to(self) -> None:
        server, client = PairEnd(server_tls()), PairEnd(client_tls())

        def greet(info: ConnectionInfo) -> None:
            server.log.append("secured")
            server.pair.cleartext.write(b"hello")

        server.pair.secured().addCallback(greet)
        exchange(server.begin().transport, client.begin().transport)
        self.assertEqual(server.log, ["secure", "connected", "secured"])
        self.assertEqual(client.log, ["secure", "connected", b"hello"])

    def test_it_fires_even_if_connecting_the_application_raises(self) -> None:
        server = PairEnd(server_tls())
        secured = server.pair.secured()
        server.application.on_connected = lambda: 1 / 0
        self.assertRaises(ZeroDivisionError, self.handshake, server)
        self.successResultOf(secured)

    def test_it_fails_for_every_call_before_and_after_the_handshake(self) -> None:
        server = PairEnd(server_tls())
        before = server.pair.secured()
        server.begin().transport.deliver(b"GET / HTTP/1.1\r\n\r\n")
        for deferred in (before, server.pair.secured()):
            insecure = self.failureResultOf(deferred, Insecure).value
            self.assertIs(insecure.close_reason.cause, Cause.PLAINTEXT)
            self.assertEqual(str(insecure), str(insecure.close_reason))
        self.assertEqual(server.log, [f"insecure: {insecure}"])

    def test_it_fails_if_the_callback_rejects_the_peer(self) -> None:
        def say_no(_info: ConnectionInfo) -> None:
            server.pair.cleartext.abortConnection()

        server = PairEnd(server_tls(), on_secure=say_no)
        secured = server.pair.secured()
        self.handshake(server)
        self.failureResultOf(secured, Insecure)
        self.assertEqual(server.log, ["insecure: aborted by us"])

    def test_it_fails_if_the_callback_raises(self) -> None:
        def fail(_info: ConnectionInfo) -> None:
            raise ZeroDivisionError

        server = PairEnd(server_tls(), on_secure=fail)
        secured = server.pair.secured()
        self.handshake(server)
        self.failureResultOf(secured, Insecure)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_it_fails_even_if_the_callback_for_that_raises(self) -> None:
        def fail(_reason: CloseReason) -> None:
            raise ZeroDivisionError

        server = SecurePair(server_tls(), Recorder(), on_insecure=fail)
        server.encrypted.makeConnection(MemoryTransport(server.encrypted))
        secured = server.secured()
        self.assertRaises(ZeroDivisionError, server.encrypted.connectionLost)
        self.failureResultOf(secured, Insecure)
        self.failureResultOf(server.secured(), Insecure)

    def test_callbacks_are_optional(self) -> None:
        server = SecurePair(server_tls(), Recorder())
        transport = MemoryTransport(server.encrypted)
        server.encrypted.makeConnection(transport)
        exchange(transport, PairEnd(client_tls()).begin().transport)
        self.successResultOf(server.secured())
        server = SecurePair(server_tls(), Recorder())
        server.encrypted.makeConnection(MemoryTransport(server.encrypted))
        server.encrypted.connectionLost()
        self.failureResultOf(server.secured(), Insecure)


class EncryptedSideTests(SynchronousTestCase):
    def test_it_is_a_protocol(self) -> None:
        encrypted = PairEnd(server_tls()).pair.encrypted
        verifyObject(IProtocol, encrypted)
        self.assertEqual(encrypted.logPrefix(), "EncryptedSide")

    def test_it_reports_the_end_of_the_wire_before_and_after_the_handshake(self) -> None:
        server = PairEnd(server_tls()).begin()
        server.pair.encrypted.connectionLost()
        self.assertEqual(len(server.log), 1)
        self.assertIn("insecure: probe", str(server.log[0]))
        server, _client = joined_pairs()
        server.transport.lose(ConnectionDone())
        self.assertEqual(server.log, ["lost: ConnectionLost"])
