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
from tlsdemo.close_reasons import Cause
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


class Handshake(handshake_contract.HandshakeContract):
    mode = ModeName.PAIR


class Delivering(delivery_contract.DeliveryContract):
    mode = ModeName.PAIR


class Pulling(pull_contract.PullContract):
    mode = ModeName.PAIR


class Sending(sending_contract.SendingContract):
    mode = ModeName.PAIR


class TheExample(SynchronousTestCase):
    def test_in_the_docstring_holds(self) -> None:
        names = {
            "ClientTLS": ClientTLS,
            "SecurePair": SecurePair,
            "ServerTLS": ServerTLS,
            "certificates": certificates(),
        }
        (example,) = doctest.DocTestFinder(recurse=False).find(SecurePair, globs=names)
        said: list[str] = []
        failed, attempted = doctest.DocTestRunner().run(example, out=said.append)
        self.assertEqual(failed, 0, "".join(said))
        self.assertGreater(attempted, 10)


class TwoPairs(SynchronousTestCase):
    def test_carry_bytes_both_ways(self) -> None:
        server, client = joined_pairs()
        server.pair.cleartext.write(b"from the server")
        client.pair.cleartext.write(b"from the client")
        exchange(server.transport, client.transport)
        self.assertEqual((server.log, client.log), ([b"from the client"], [b"from the server"]))

    def test_end_cleanly_on_both_sides(self) -> None:
        server, client = joined_pairs()
        client.pair.cleartext.loseConnection()
        exchange(server.transport, client.transport)
        self.assertEqual((server.log, client.log), (["lost: ConnectionDone"],) * 2)

    def test_see_an_abort_as_an_end_that_is_not_clean(self) -> None:
        server, client = joined_pairs()
        client.pair.cleartext.abortConnection()
        exchange(server.transport, client.transport)
        self.assertEqual((server.log, client.log), (["lost: ConnectionLost"],) * 2)

    def test_join_small_writes_by_the_clock_if_buffered(self) -> None:
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

    @settings(max_examples=60, deadline=None, database=None)
    @given(
        records=st.lists(st.binary(min_size=1, max_size=40), max_size=8),
        sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6),
        delivery=st.sampled_from([Delivery.RECORD, Delivery.COALESCED]),
    )
    def test_carry_the_same_bytes_however_the_wire_cuts_them(
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


class PairsInPairs(SynchronousTestCase):
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

    def test_carry_bytes_and_end_cleanly(self) -> None:
        self.client.pair.cleartext.write(b"twice encrypted")
        self.client.pair.cleartext.loseConnection()
        self.exchange()
        self.assertEqual(self.server.log, [b"twice encrypted", "lost: ConnectionDone"])
        self.assertEqual(self.client.log, ["lost: ConnectionDone"])

    def test_hear_of_a_wire_that_is_lost(self) -> None:
        self.wires[0].lose(ConnectionLost())
        self.assertEqual(self.server.log, ["lost: ConnectionLost"])

    def test_pause_the_wire_through_both(self) -> None:
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

    def test_pause_a_producer_through_both(self) -> None:
        producer = RecordingProducer()
        self.server.pair.cleartext.registerProducer(producer, True)
        self.wires[0].producer.pauseProducing()
        self.assertEqual(producer.log, ["pause"])


class Secured(SynchronousTestCase):
    def handshake(self, server: PairEnd) -> None:
        client = PairEnd(client_tls()).begin()
        exchange(server.begin().transport, client.transport)

    def test_fires_with_the_agreement_for_all_who_wait_and_for_who_comes_later(self) -> None:
        server = PairEnd(server_tls())
        before = [server.pair.secured(), server.pair.secured()]
        self.assertNoResult(before[0])
        self.handshake(server)
        for deferred in (*before, server.pair.secured()):
            info = self.successResultOf(deferred)
            self.assertEqual(info.version, "TLSv1.3")

    def test_fires_when_cleartext_can_be_written_to(self) -> None:
        server, client = PairEnd(server_tls()), PairEnd(client_tls())

        def greet(info: ConnectionInfo) -> None:
            server.log.append("secured")
            server.pair.cleartext.write(b"hello")

        server.pair.secured().addCallback(greet)
        exchange(server.begin().transport, client.begin().transport)
        self.assertEqual(server.log, ["secure", "connected", "secured"])
        self.assertEqual(client.log, ["secure", "connected", b"hello"])

    def test_fires_also_if_the_application_fails_to_connect(self) -> None:
        server = PairEnd(server_tls())
        secured = server.pair.secured()
        server.application.on_connected = lambda: 1 / 0
        self.assertRaises(ZeroDivisionError, self.handshake, server)
        self.successResultOf(secured)

    def test_fails_for_all_who_wait_and_for_who_comes_later(self) -> None:
        server = PairEnd(server_tls())
        before = server.pair.secured()
        server.begin().transport.deliver(b"GET / HTTP/1.1\r\n\r\n")
        for deferred in (before, server.pair.secured()):
            insecure = self.failureResultOf(deferred, Insecure).value
            self.assertIs(insecure.close_reason.cause, Cause.PLAINTEXT)
            self.assertEqual(str(insecure), str(insecure.close_reason))
        self.assertEqual(server.log, [f"insecure: {insecure}"])

    def test_fails_if_the_callback_says_no(self) -> None:
        def say_no(_info: ConnectionInfo) -> None:
            server.pair.cleartext.abortConnection()

        server = PairEnd(server_tls(), on_secure=say_no)
        secured = server.pair.secured()
        self.handshake(server)
        self.failureResultOf(secured, Insecure)
        self.assertEqual(server.log, ["insecure: aborted by us"])

    def test_fails_if_the_callback_fails(self) -> None:
        def fail(_info: ConnectionInfo) -> None:
            raise ZeroDivisionError

        server = PairEnd(server_tls(), on_secure=fail)
        secured = server.pair.secured()
        self.handshake(server)
        self.failureResultOf(secured, Insecure)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_needs_no_callbacks(self) -> None:
        server = SecurePair(server_tls(), Recorder())
        transport = MemoryTransport(server.encrypted)
        server.encrypted.makeConnection(transport)
        exchange(transport, PairEnd(client_tls()).begin().transport)
        self.successResultOf(server.secured())
        server = SecurePair(server_tls(), Recorder())
        server.encrypted.makeConnection(MemoryTransport(server.encrypted))
        server.encrypted.connectionLost()
        self.failureResultOf(server.secured(), Insecure)


class TheEncryptedSide(SynchronousTestCase):
    def test_is_a_protocol(self) -> None:
        encrypted = PairEnd(server_tls()).pair.encrypted
        verifyObject(IProtocol, encrypted)
        self.assertEqual(encrypted.logPrefix(), "EncryptedSide")

    def test_tells_the_end_of_the_wire_before_and_after_the_handshake(self) -> None:
        server = PairEnd(server_tls()).begin()
        server.pair.encrypted.connectionLost()
        self.assertEqual(len(server.log), 1)
        self.assertIn("insecure: handshake interrupted", str(server.log[0]))
        server, _client = joined_pairs()
        server.transport.lose(ConnectionDone())
        self.assertEqual(server.log, ["lost: ConnectionLost"])
