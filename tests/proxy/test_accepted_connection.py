from __future__ import annotations

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.accepted_connection import AcceptedConnection
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.connection_registry import ConnectionRegistry, ConnectionTotals
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.handler import Handler, HandlerListener
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.tls import ConnectionInfo, Observer
from tlsdemo.trace.timeline import Event, EventObserver

AGREED = ConnectionInfo("TLSv1.3", "AES", None, "localhost", "CN=a")
TRUNCATED = CloseReason(Cause.TRUNCATED, "the peer closed")
BACKEND_LOST = CloseReason(Cause.BACKEND_LOST, "it closed")


class CountingStream:
    bytes_in = bytes_out = events = records = 0
    aborted = False

    def __init__(self) -> None:
        self.log: list[str] = []

    def abortConnection(self) -> None:
        self.aborted = True

    def unregisterProducer(self) -> None:
        self.log.append("no producer")

    def loseConnection(self) -> None:
        self.log.append("close")


class CountingProtocol:
    def __init__(self, observer: Observer | None) -> None:
        self.stream: CountingStream | None = None
        self.observer = observer

    def abort(self, close_reason: CloseReason) -> None:
        if self.stream is not None:
            self.stream.abortConnection()


class RecordingHandler(Handler):
    given_up = False

    def abort(self) -> None:
        self.given_up = True


class AcceptedConnectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.accounting = Accounting(
            Statistics(), ConnectionRegistry(), EventLog(PrintableLogger(), self.clock.seconds)
        )
        self.events: list[Event] = []
        self.handlers: list[RecordingHandler] = []
        self.forgotten: list[AcceptedConnection] = []
        self.protocol = CountingProtocol(EventObserver(self.clock.seconds, self.events.append))
        self.accepted = AcceptedConnection(
            5, "a:1", self.accounting, self.make_handler, self.forgotten.append
        )
        self.accepted.opened(self.protocol)  # type: ignore[arg-type]

    def make_handler(self, listener: HandlerListener, upgraded: bool) -> Handler:
        self.upgraded = upgraded
        self.handlers.append(RecordingHandler(listener))
        return self.handlers[-1]

    def secured(self, received: int = 1) -> None:
        self.protocol.stream = CountingStream()
        self.protocol.stream.bytes_in = received
        self.accepted.secure(AGREED)

    def totals(self) -> ConnectionTotals:
        return self.accounting.registry.totals(["a:1"], None)

    def over(self) -> str | None:
        """How it ended according to the statistics, once it is over."""
        snapshot = self.accounting.statistics.snapshot(0, 0, 0)
        self.assertEqual(snapshot.clean + snapshot.failures + snapshot.probes + snapshot.open, 1)
        self.assertEqual(self.forgotten, [] if snapshot.open else [self.accepted])
        self.assertEqual(self.totals().open, snapshot.open)
        self.assertEqual(self.totals().failed, snapshot.failures + snapshot.probes)
        if snapshot.open:
            return None
        if snapshot.probes:
            return "probe"
        return next(iter(snapshot.failed), "clean")

    def test_it_gets_its_handler_when_it_is_secure(self) -> None:
        self.assertEqual((self.handlers, self.accounting.statistics.secured), ([], 0))
        handler = self.accepted.secure(AGREED)
        self.assertEqual(self.handlers, [handler])
        self.assertIs(self.handlers[0].listener, self.accepted)
        self.assertFalse(self.upgraded)
        self.assertEqual(self.accounting.statistics.secured, 1)

    def test_its_handler_knows_whether_plaintext_came_before_tls(self) -> None:
        self.accepted.secure(replace(AGREED, upgraded=True))
        self.assertTrue(self.upgraded)

    def test_in_mode_clear_it_gets_its_handler_and_is_not_counted_as_secured(self) -> None:
        handler = self.accepted.plain()
        self.assertEqual((self.handlers, self.accounting.statistics.secured), ([handler], 0))

    def test_it_is_over_when_its_stream_has_ended_and_its_handler_has_drained(self) -> None:
        for first, second in ((0, 1), (1, 0)):
            self.setUp()
            self.secured()
            ends = (lambda: self.accepted.ended(CLEAN), lambda: self.accepted.drained(CLEAN))
            ends[first]()
            self.assertIsNone(self.over())
            ends[second]()
            self.assertEqual(self.over(), "clean")

    def test_it_has_failed_if_its_stream_or_its_handler_has(self) -> None:
        for stream, handler, cause in (
            (TRUNCATED, CLEAN, "truncated"),
            (CLEAN, BACKEND_LOST, "backend lost"),
            # The first failure is the reason: the client cut itself off when it had been told.
            (TRUNCATED, BACKEND_LOST, "backend lost"),
        ):
            self.setUp()
            self.secured()
            with capturedLogs() as lines:
                self.accepted.drained(handler)
                self.accepted.ended(stream)
            self.assertEqual(self.over(), cause)
            (line,) = lines
            self.assertEqual(line["cause"], cause)

    def test_a_client_that_is_lost_before_it_sent_anything_is_a_probe(self) -> None:
        for close_reason, cause in (
            (TRUNCATED, "probe"),
            (CLEAN, "clean"),
            (CloseReason(Cause.IDLE), "idle"),
        ):
            self.setUp()
            self.secured(received=0)
            with capturedLogs() as lines:
                self.accepted.ended(close_reason)
                self.accepted.drained(CLEAN)
            self.assertEqual(self.over(), cause)
            self.assertEqual(len(lines), cause == "idle")

    def test_a_failure_is_logged_with_number_peer_and_reason(self) -> None:
        self.secured()
        with capturedLogs() as lines:
            self.accepted.ended(TRUNCATED)
            self.assertEqual(lines, [])
            self.accepted.drained(CLEAN)
        (line,) = lines
        self.assertEqual(formatEvent(line), "#5 a:1 failed: truncated: the peer closed")

    def test_an_insecure_connection_is_over_at_once(self) -> None:
        with capturedLogs() as lines:
            self.accepted.insecure(CloseReason(Cause.CERTIFICATE_MISSING))
        self.assertEqual(self.over(), "certificate missing")
        (line,) = lines
        self.assertEqual(formatEvent(line), "#5 a:1 failed: certificate missing")

    def test_an_abort_by_us_is_counted_but_not_logged(self) -> None:
        self.secured()
        with capturedLogs() as lines:
            self.accepted.ended(CloseReason(Cause.ABORTED))
            self.accepted.drained(CLEAN)
        self.assertEqual((self.over(), lines), ("aborted by us", []))

    def test_a_clean_end_is_not_logged(self) -> None:
        self.secured()
        with capturedLogs() as lines:
            self.accepted.ended(CLEAN)
            self.accepted.drained(CLEAN)
        self.assertEqual(lines, [])

    def test_its_record_has_the_bytes_received_so_far(self) -> None:
        self.assertEqual(self.totals(), ConnectionTotals(open=1))
        self.secured()
        assert self.protocol.stream is not None
        self.protocol.stream.bytes_in = 10
        self.assertEqual(self.totals(), ConnectionTotals(received=10, arrived=10, open=1))
        self.accepted.ended(CLEAN)
        self.accepted.drained(CLEAN)
        self.assertEqual(self.totals(), ConnectionTotals(received=10, arrived=10))

    def test_its_record_has_our_address_towards_the_backend(self) -> None:
        self.secured()
        self.accepted.backend_connected("s:1")
        record = self.accounting.registry.get("a:1")
        assert record is not None
        self.assertEqual(record.backend, "s:1")

    def test_events_of_its_handler_are_reported_to_the_observer(self) -> None:
        self.secured()
        self.accepted.report("backend connected")
        self.accepted.drained(CLEAN)
        self.assertEqual([event.name for event in self.events], ["backend connected", "drained"])

    def test_without_an_observer_events_are_ignored(self) -> None:
        self.protocol.observer = None
        self.secured()
        self.accepted.report("backend connected")
        self.assertEqual(self.events, [])

    def test_a_secure_connection_is_closed_in_order(self) -> None:
        self.secured()
        self.accepted.close()
        assert self.protocol.stream is not None
        # A TLS layer with a producer would wait for it before it sends close_notify.
        self.assertEqual(self.protocol.stream.log, ["no producer", "close"])
        self.assertFalse(self.protocol.stream.aborted)
        self.assertFalse(self.handlers[0].given_up)

    def test_a_connection_that_is_not_secure_is_aborted(self) -> None:
        self.protocol.stream = CountingStream()
        self.accepted.close()
        self.assertTrue(self.protocol.stream.aborted)

    def test_aborting_aborts_the_stream_and_the_handler(self) -> None:
        self.accepted.abort()
        self.secured()
        self.accepted.abort()
        assert self.protocol.stream is not None
        self.assertTrue(self.protocol.stream.aborted)
        self.assertTrue(self.handlers[0].given_up)
