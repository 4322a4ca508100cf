from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.support import MemoryTransport, RecordingProducer, exchange
from tests.tls.memory_ends import PairEnd, client_tls, server_tls


class BareTransport:
    """All that a pair needs of a transport."""

    def __init__(self) -> None:
        self.wire = MemoryTransport()

    def write(self, data: bytes) -> None:
        self.wire.write(data)

    def loseConnection(self) -> None:
        self.wire.loseConnection()


class ProducibleTransport(BareTransport):
    """One that has flow control as well, but cannot abort."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.wire.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self.wire.unregisterProducer()

    def getPeer(self) -> Any:
        return self.wire.getPeer()

    def getHost(self) -> Any:
        return self.wire.getHost()


class IncompleteTransportTests(SynchronousTestCase):
    def joined(self, bare: BareTransport) -> tuple[PairEnd, PairEnd]:
        server, client = PairEnd(server_tls()).begin(bare), PairEnd(client_tls()).begin()
        bare.wire.protocol = server.pair.encrypted
        exchange(bare.wire, client.transport)
        server.log.clear()
        return server, client

    def test_only_write_and_lose_connection_are_required(self) -> None:
        bare = BareTransport()
        server, client = self.joined(bare)
        client.pair.cleartext.write(b"data")
        exchange(bare.wire, client.transport)
        cleartext = server.pair.cleartext
        cleartext.pauseProducing()
        cleartext.resumeProducing()
        cleartext.registerProducer(RecordingProducer(), True)
        cleartext.unregisterProducer()
        self.assertEqual((cleartext.getPeer(), cleartext.getHost()), (None, None))
        cleartext.loseConnection()
        exchange(bare.wire, client.transport)
        self.assertEqual(server.log, [b"data", "lost: ConnectionDone"])

    def test_a_transport_without_abort_connection_is_closed(self) -> None:
        bare = BareTransport()
        server, _client = self.joined(bare)
        server.pair.cleartext.abortConnection()
        self.assertTrue(bare.wire.disconnecting)

    def test_flow_control_is_used_if_there_is_any(self) -> None:
        bare = ProducibleTransport()
        server, _client = self.joined(bare)
        producer = RecordingProducer()
        server.pair.cleartext.registerProducer(producer, True)
        bare.wire.producer.pauseProducing()
        self.assertEqual(producer.log, ["pause"])
        server.pair.cleartext.unregisterProducer()
        self.assertIsNone(bare.wire.producer)

    def test_addresses_are_used_if_there_are_any(self) -> None:
        bare = ProducibleTransport()
        server, _client = self.joined(bare)
        self.assertEqual(server.pair.cleartext.getPeer(), bare.wire.getPeer())
        self.assertEqual(server.pair.cleartext.getHost(), bare.wire.getHost())
