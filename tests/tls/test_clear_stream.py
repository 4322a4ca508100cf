from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IProtocol, IPushProducer, ITransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import (
    MemoryTransport,
    ReadingRecorder,
    Recorder,
    RecordingListener,
    RecordingProducer,
)
from tests.tls.memory_ends import End, server_tls
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.tls import Delivery, ModeName, StreamSetup, TransportOptions
from tlsdemo.tls.clear_stream import ClearStream


class ClearStreamTests(SynchronousTestCase):
    def begun(
        self,
        application: Recorder | None = None,
        delivery: Delivery | None = None,
        high_water: int = 1 << 16,
    ) -> End:
        """A connection in the clear; its log begins here."""
        end = End(
            ModeName.CLEAR,
            server_tls(),
            application=application,
            delivery=delivery,
            high_water=high_water,
        ).begin()
        self.assertEqual(end.log, ["plain", "connected"])
        end.log.clear()
        return end

    def test_data_is_passed_on_unchanged_and_counted(self) -> None:
        end = self.begun()
        end.stream.write(b"ping")
        end.stream.writeSequence([b"pi", b"ng"])
        self.assertEqual(end.transport.take(), b"pingping")
        end.transport.deliver(b"po")
        end.transport.deliver(b"ng")
        self.assertEqual(end.log, [b"po", b"ng"])
        stream = end.stream
        self.assertEqual(
            (stream.bytes_out, stream.bytes_in, stream.events, stream.records), (8, 4, 2, 0)
        )

    def test_a_closed_stream_stays_so_if_it_is_to_write_promptly(self) -> None:
        end = self.begun()
        end.stream.loseConnection()
        end.stream.write_promptly()
        end.stream.write(b"too late")
        self.assertEqual(end.transport.take(), b"")

    def test_a_reset_is_a_truncation_and_a_close_is_not(self) -> None:
        for reason, expected in (
            (ConnectionDone(), ["ended: clean", "lost: ConnectionDone"]),
            (ConnectionLost(), ["ended: truncated", "lost: ConnectionLost"]),
        ):
            end = self.begun()
            end.transport.lose(reason)
            self.assertEqual(end.log, expected)

    def test_closing_first_sends_what_was_written(self) -> None:
        for close in ("loseConnection", "stopProducing"):
            end = self.begun()
            end.stream.write(b"last words")
            getattr(end.stream, close)()
            self.assertTrue(end.stream.disconnecting)
            self.assertEqual(end.transport.take(), b"last words")
            end.transport.turn()
            self.assertEqual(end.log, ["ended: clean", "lost: ConnectionDone"])

    def test_nothing_is_delivered_after_aborting(self) -> None:
        end = self.begun()
        end.stream.abortConnection()
        end.stream.abort(CloseReason(Cause.BACKEND_LOST))
        self.assertTrue(end.stream.disconnecting)
        end.transport.protocol.dataReceived(b"too late")
        end.transport.turn()
        self.assertEqual(end.log, ["ended: aborted by us", "lost: ConnectionAborted"])

    def test_a_rejected_connection_is_aborted_and_delivers_nothing(self) -> None:
        end = End(ModeName.CLEAR, server_tls())
        end.listener.application = None
        end.begin()
        self.assertTrue(end.transport.aborted)
        end.transport.protocol.dataReceived(b"data")
        end.transport.turn()
        self.assertEqual(end.log, ["plain", "insecure: rejected by us"])

    def test_an_error_in_the_callback_rejects_the_connection_and_is_logged(self) -> None:
        end = End(ModeName.CLEAR, server_tls())
        end.listener.on_secure = lambda: 1 / 0
        end.begin().transport.turn()
        self.assertEqual(end.log, ["plain", "insecure: rejected by us"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_aborting_in_the_callback_rejects_the_connection(self) -> None:
        log: list[object] = []
        listener = RecordingListener(log, Recorder(log))
        stream = ClearStream(StreamSetup(listener, TransportOptions()))
        listener.on_secure = stream.abortConnection
        transport = MemoryTransport(stream)
        stream.makeConnection(transport)
        transport.turn()
        self.assertEqual(log, ["plain", "insecure: aborted by us"])

    # Flow control.

    def test_pausing_pauses_the_wire(self) -> None:
        end = self.begun()
        end.stream.pauseProducing()
        end.transport.deliver(b"data")
        self.assertEqual(end.log, [])
        end.stream.resumeProducing()
        end.transport.turn()
        self.assertEqual(end.log, [b"data"])

    def test_a_producer_is_paused_by_the_wire(self) -> None:
        end, producer = self.begun(), RecordingProducer()
        end.stream.registerProducer(producer, True)
        self.assertIs(end.transport.producer, producer)
        self.assertTrue(end.transport.streamingProducer)
        end.stream.unregisterProducer()
        self.assertIsNone(end.transport.producer)

    # On demand.

    def reading(self, high_water: int = 1 << 16) -> tuple[End, ReadingRecorder]:
        application = ReadingRecorder()
        return self.begun(application, Delivery.READABLE, high_water), application

    def test_an_application_reads_the_data_it_is_notified_of(self) -> None:
        end, application = self.reading()
        end.transport.deliver(b"one")
        end.transport.deliver(b"two")
        application.read_all()
        self.assertEqual(end.log, ["readable", b"onetwo", "read all"])
        self.assertEqual((end.stream.events, end.stream.bytes_in), (1, 6))

    def test_the_wire_is_paused_at_the_high_water_mark(self) -> None:
        end, application = self.reading(high_water=4)
        end.transport.deliver(b"1234")
        self.assertTrue(end.transport.paused)
        application.read_all()
        self.assertFalse(end.transport.paused)

    def test_the_end_is_reported_after_everything_has_been_read(self) -> None:
        end, application = self.reading()
        end.transport.deliver(b"data")
        end.transport.lose(ConnectionDone())
        self.assertEqual(end.log, ["readable"])
        application.read_all()
        self.assertEqual(
            end.log, ["readable", b"data", "ended: clean", "lost: ConnectionDone", "read all"]
        )

    def test_aborting_discards_unread_data(self) -> None:
        end, application = self.reading()
        end.transport.deliver(b"data")
        end.transport.lose(ConnectionDone())
        end.stream.abortConnection()
        self.assertEqual(end.log, ["readable", "ended: aborted by us", "lost: ConnectionAborted"])
        self.assertEqual(application.source.read(), b"")

    def test_an_application_without_readable_is_rejected_and_named_in_the_log(self) -> None:
        end = End(ModeName.CLEAR, server_tls(), delivery=Delivery.READABLE)
        end.begin().transport.turn()
        self.assertEqual(end.log, ["plain", "insecure: rejected by us"])
        (failure,) = self.flushLoggedErrors(TypeError)
        self.assertIn("Recorder", str(failure.value))

    # The rest.

    def test_the_addresses_are_those_of_the_wire(self) -> None:
        end = self.begun()
        self.assertEqual(end.stream.getPeer(), end.transport.getPeer())
        self.assertEqual(end.stream.getHost(), end.transport.getHost())

    def test_a_stream_provides_its_interfaces(self) -> None:
        stream = self.begun().stream
        for interface in (IProtocol, ITransport, IConsumer, IPushProducer):
            verifyObject(interface, stream)
        assert isinstance(stream, ClearStream)
        self.assertEqual(stream.logPrefix(), "ClearStream")
