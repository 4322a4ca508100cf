from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, ITCPTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides
from zope.interface.verify import verifyObject

from tlsdemo.testing import MemoryTransport, Recorder, RecordingProducer


class AMemoryTransport(SynchronousTestCase):
    def setUp(self) -> None:
        self.protocol = Recorder()
        self.transport = MemoryTransport(self.protocol)
        self.transport.connect()
        self.protocol.log.clear()

    def test_provides_the_interface_of_a_tcp_connection(self) -> None:
        verifyObject(ITCPTransport, self.transport)

    def test_delivers_each_piece_in_one_event(self) -> None:
        self.transport.deliver(b"one")
        self.transport.deliver(b"two")
        self.assertEqual(self.protocol.log, [b"one", b"two"])

    def test_returns_what_was_written_once(self) -> None:
        self.transport.write(b"one")
        self.transport.writeSequence([b"two", b"three"])
        self.assertEqual(self.transport.take(), b"onetwothree")
        self.assertEqual(self.transport.take(), b"")

    def test_delivers_nothing_while_it_is_paused(self) -> None:
        self.transport.pauseProducing()
        self.transport.deliver(b"data")
        self.assertEqual(self.protocol.log, [])
        self.transport.resumeProducing()
        self.transport.turn()
        self.assertEqual(self.protocol.log, [b"data"])

    def test_closes_when_everything_written_has_been_taken(self) -> None:
        self.transport.write(b"goodbye")
        self.transport.loseConnection()
        self.transport.turn()
        self.assertEqual(self.protocol.log, [])
        self.transport.take()
        self.transport.turn()
        self.assertEqual(self.protocol.log, ["lost: ConnectionDone"])

    def test_closes_when_its_producer_is_stopped(self) -> None:
        self.transport.stopProducing()
        self.transport.turn()
        self.assertEqual(self.protocol.log, ["lost: ConnectionDone"])

    def test_drops_what_was_written_when_it_is_aborted(self) -> None:
        self.transport.write(b"dropped")
        self.transport.abortConnection()
        self.transport.write(b"dropped")
        self.transport.turn()
        self.assertEqual(self.transport.take(), b"")
        self.assertEqual(self.protocol.log, ["lost: ConnectionAborted"])

    def test_ends_only_once(self) -> None:
        self.transport.lose(ConnectionLost())
        self.transport.lose(ConnectionLost())
        self.transport.deliver(b"too late")
        self.transport.write(b"too late")
        self.assertEqual(self.protocol.log, ["lost: ConnectionLost"])
        self.assertEqual(self.transport.take(), b"")

    def test_remembers_the_registered_producer(self) -> None:
        producer = RecordingProducer()
        self.transport.registerProducer(producer, True)
        self.assertIs(self.transport.producer, producer)
        self.assertRaises(AssertionError, self.transport.registerProducer, producer, True)
        self.transport.unregisterProducer()
        self.assertIsNone(self.transport.producer)

    def test_remembers_the_options_of_the_socket(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.assertTrue(self.transport.getTcpNoDelay())
        self.assertTrue(self.transport.getTcpKeepAlive())

    def test_sends_nothing_after_it_has_finished_and_still_receives(self) -> None:
        self.transport.write(b"one")
        self.transport.loseWriteConnection()
        self.transport.write(b"two")
        self.assertTrue(self.transport.finished)
        self.assertEqual(self.transport.take(), b"one")
        self.transport.deliver(b"answer")
        self.assertEqual(self.protocol.received, [b"answer"])

    def test_tells_a_protocol_once_that_it_has_finished(self) -> None:
        protocol: Any = self.protocol
        protocol.writeConnectionLost = lambda: self.protocol.log.append("finished")
        alsoProvides(protocol, IHalfCloseableProtocol)
        self.transport.registerProducer(RecordingProducer(), True)
        self.transport.loseWriteConnection()
        self.transport.write(b"produced")
        self.transport.turn()
        self.transport.unregisterProducer()
        self.transport.write(b"dropped")
        self.transport.turn()
        self.assertEqual(self.protocol.log, [])
        self.assertEqual(self.transport.take(), b"produced")
        for _ in range(2):
            self.transport.turn()
        self.assertEqual(self.protocol.log, ["finished"])

    def test_ends_at_once_when_it_is_closed_after_it_has_finished(self) -> None:
        self.transport.loseWriteConnection()
        self.transport.turn()
        self.transport.loseConnection()
        self.assertEqual(self.protocol.log, ["lost: ConnectionDone"])

    def test_a_fin_ends_a_protocol_that_cannot_be_half_closed(self) -> None:
        self.transport.finish()
        self.assertFalse(self.transport.connected)

    def test_a_fin_is_the_end_of_reading_for_one_that_can(self) -> None:
        protocol: Any = self.protocol
        protocol.readConnectionLost = lambda: self.protocol.log.append("finished")
        alsoProvides(protocol, IHalfCloseableProtocol)
        self.transport.finish()
        self.assertEqual(self.protocol.log, ["finished"])
        self.assertTrue(self.transport.connected)
