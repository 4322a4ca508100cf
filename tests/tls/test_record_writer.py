from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.support import patch_reactor_clock
from tests.tls.memory_ends import End, ForeignPeer, client_tls, foreign_server, record_types
from tlsdemo.tls import ModeName, Send
from tlsdemo.tls.openssl_io import IO, MAX_RECORD, PUBLIC
from tlsdemo.tls.record_writer import RecordWriter

MODES = (ModeName.STARTTLS, ModeName.PAIR, ModeName.WRAPPED)


class RecordWriterCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def secured(self, mode: ModeName = ModeName.PAIR) -> tuple[End, ForeignPeer, Any]:
        end, peer = End(mode, client_tls(), send=Send.RAW, clock=self.clock), foreign_server()
        end.secured_with(peer)
        end.transport.take()
        writer = end.stream.record_writer()
        assert isinstance(writer, RecordWriter)
        return end, peer, writer

    def connection(self, end: End) -> Any:
        stream: Any = end.stream
        return stream._connection


class Writing(RecordWriterCase):
    def test_each_is_a_record_in_every_mode(self) -> None:
        for mode in MODES:
            end, peer, writer = self.secured(mode)
            writer.write(b"packet", 3)
            writer.write(b"other", 1)
            wire = end.transport.take()
            self.assertEqual(len(record_types(wire)), 4)
            peer.receive(wire)
            self.assertEqual(peer.received, b"packet" * 3 + b"other")
            self.assertEqual(end.stream.bytes_out, 23)

    def test_public_methods_do_the_same(self) -> None:
        for io in (IO, PUBLIC):
            end, peer, writer = self.secured()
            self.connection(end)._io = io
            writer.write(b"packet", 3)
            wire = end.transport.take()
            self.assertEqual(len(record_types(wire)), 3)
            peer.receive(wire)
            self.assertEqual(peer.received, b"packet" * 3)

    def test_single_writes_may_come_between(self) -> None:
        end, peer, writer = self.secured()
        end.stream.write(b"a")
        writer.write(b"b", 2)
        end.stream.write(b"c")
        peer.receive(end.transport.take())
        self.assertEqual(peer.received, b"abbc")

    def test_many_are_as_many(self) -> None:
        end, peer, writer = self.secured()
        writer.write(b"x" * 100, 3000)
        peer.receive(end.transport.take())
        self.assertEqual(peer.received, b"x" * 300_000)

    def test_what_does_not_fit_into_a_record_becomes_several(self) -> None:
        end, peer, writer = self.secured()
        packet = b"x" * MAX_RECORD + b"y"
        writer.write(packet, 2)
        wire = end.transport.take()
        self.assertEqual(len(record_types(wire)), 4)
        peer.receive(wire)
        self.assertEqual(peer.received, packet * 2)

    def test_nothing_is_written_once_the_stream_closes(self) -> None:
        end, _, writer = self.secured()
        end.stream.loseConnection()
        end.transport.take()
        writer.write(b"late", 1)
        self.assertEqual(end.transport.take(), b"")
        self.assertEqual(end.stream.bytes_out, 0)

    def test_what_openssl_refuses_ends_the_connection(self) -> None:
        for io in (IO, PUBLIC):
            end, _, writer = self.secured()
            connection = self.connection(end)
            connection._io = io
            connection.shutdown()
            writer.write(b"late", 2)
            self.assertTrue(end.transport.disconnecting)
            self.assertEqual(end.stream.bytes_out, 0)

    def test_joined_writes_have_none(self) -> None:
        end = End(ModeName.STARTTLS, client_tls(), send=Send.BUFFERED, clock=self.clock)
        end.secured_with(foreign_server())
        self.assertIsNone(end.stream.record_writer())

    def test_a_stream_without_tls_has_none(self) -> None:
        end = End(ModeName.CLEAR, client_tls(), send=Send.RAW, clock=self.clock).begin()
        self.assertIsNone(end.stream.record_writer())


class Prefilling(RecordWriterCase):
    def test_what_was_encrypted_before_is_sent_at_once(self) -> None:
        for mode in MODES:
            end, peer, writer = self.secured(mode)
            send = writer.prefill(b"packet", 2000)
            self.assertEqual((end.transport.take(), end.stream.bytes_out), (b"", 0))
            send()
            self.assertEqual(end.stream.bytes_out, 12_000)
            end.stream.loseConnection()
            peer.receive(end.transport.take())
            self.assertEqual(peer.received, b"packet" * 2000)

    def test_it_is_dropped_once_the_stream_closes(self) -> None:
        end, _, writer = self.secured()
        send = writer.prefill(b"packet", 2)
        end.stream.abortConnection()
        end.transport.take()
        send()
        self.assertEqual((end.transport.take(), end.stream.bytes_out), (b"", 0))

    def test_what_openssl_refuses_is_raised(self) -> None:
        end, _, writer = self.secured()
        self.connection(end).shutdown()
        self.assertRaises(SSL.Error, writer.prefill, b"late", 1)
