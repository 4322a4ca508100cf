from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event, Fact, LazyText

FAILED = CloseReason(Cause.WRONG_NAME, "the certificate is not valid for localhost")


def logged_numbers(events: EventLog, most: int) -> list[int]:
    return [
        number for number in range(1, most + 1) if events.event_logger(number, "a:1") is not None
    ]


class SamplingTests(SynchronousTestCase):
    def events(self, first: int, every: int) -> EventLog:
        return EventLog(PrintableLogger(), Clock().seconds, first, every)

    def test_the_first_and_every_nth_connection_are_logged(self) -> None:
        self.assertEqual(logged_numbers(self.events(3, 5), 16), [1, 2, 3, 5, 10, 15])

    def test_only_the_first_connections_are_logged(self) -> None:
        self.assertEqual(logged_numbers(self.events(2, 0), 200), [1, 2])

    def test_only_every_nth_connection_is_logged(self) -> None:
        self.assertEqual(logged_numbers(self.events(0, 100), 200), [100, 200])

    def test_all_connections_are_logged(self) -> None:
        self.assertEqual(logged_numbers(self.events(0, 1), 4), [1, 2, 3, 4])

    def test_no_connection_is_logged(self) -> None:
        self.assertEqual(logged_numbers(self.events(0, 0), 200), [])

    def test_by_default_the_first_three_and_every_hundredth_are_logged(self) -> None:
        stock = EventLog(PrintableLogger(), Clock().seconds)
        self.assertEqual(logged_numbers(stock, 200), [1, 2, 3, 100, 200])


class DetailedLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events = EventLog(PrintableLogger(), Clock().seconds, 1, 3, detailed=True)

    def lines(self, *seen: Mark | Arrow) -> list[str | None]:
        log = self.events.detail_logger(1, "a:1")
        assert log is not None
        with capturedLogs() as lines:
            for each in seen:
                log(each)
        self.fields = lines
        return [formatEvent(line) for line in lines]

    def test_details_are_logged_for_the_same_connections(self) -> None:
        numbers = [n for n in range(1, 7) if self.events.detail_logger(n, "a:1") is not None]
        self.assertEqual(numbers, [1, 3, 6])
        self.assertEqual(logged_numbers(self.events, 6), [])

    def test_details_are_not_logged_by_default(self) -> None:
        self.assertIsNone(EventLog(PrintableLogger(), Clock().seconds).detail_logger(1, "a:1"))

    def test_each_event_has_the_state_that_is_true(self) -> None:
        facts: dict[str, Fact] = {
            "reason": "x",
            "peer": True,
            "alpn": "h2",
            "flight": False,
            "write": True,
        }
        nothing: dict[str, Fact] = {"peer": False, "alpn": "", "flight": False, "write": False}
        self.assertEqual(
            self.lines(
                Mark(End.SERVER, Event("connected", 0.0)),
                Mark(End.SERVER, Event("secure", 0.5, facts)),
                Mark(End.SERVER, Event("lost", 1.0, nothing)),
            ),
            [
                "#1 a:1 +0.0000s connected",
                "#1 a:1 +0.5000s secure reason=x [peer alpn=h2 write]",
                "#1 a:1 +1.0000s lost []",
            ],
        )
        self.assertEqual(self.fields[1]["details"], {"reason": "x"})
        self.assertEqual(self.fields[2]["true"], nothing)

    def test_records_and_openssl_states_are_not_logged(self) -> None:
        self.assertEqual(
            self.lines(
                Mark(End.SERVER, Event("OpenSSL state", 0.0, {"state": "any"})),
                Arrow(End.CLIENT, 0.0, Record(Kind.HANDSHAKE, 5)),
            ),
            [],
        )


class LogLineTests(SynchronousTestCase):
    def test_a_line_of_an_event_has_text_and_fields(self) -> None:
        observer = EventLog(PrintableLogger("tests"), Clock().seconds).event_logger(
            2, "192.0.2.1:5"
        )
        assert observer is not None
        with capturedLogs() as lines:
            observer(Event("secure", 0.01234, {"agreed": LazyText("TLSv1.3"), "tries": 1}))
        (line,) = lines
        self.assertEqual(formatEvent(line), "#2 192.0.2.1:5 +0.0123s secure agreed=TLSv1.3 tries=1")
        self.assertEqual(
            {name: line[name] for name in ("connection", "peer", "elapsed", "event", "details")},
            {
                "connection": 2,
                "peer": "192.0.2.1:5",
                "elapsed": 0.01234,
                "event": "secure",
                "details": {"agreed": "TLSv1.3", "tries": 1},
            },
        )
        self.assertEqual((line["log_level"], line["log_namespace"]), (LogLevel.info, "tests"))

    def test_a_line_of_a_failure_has_text_and_fields(self) -> None:
        with capturedLogs() as lines:
            EventLog(PrintableLogger("tests"), Clock().seconds).failed(7, "192.0.2.1:5", FAILED)
        (line,) = lines
        self.assertEqual(
            formatEvent(line),
            "#7 192.0.2.1:5 failed: wrong name: the certificate is not valid for localhost",
        )
        self.assertEqual((line["connection"], line["cause"]), (7, "wrong name"))
        self.assertEqual(line["log_level"], LogLevel.warn)


class FailureLimitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.events = EventLog(PrintableLogger(), self.clock.seconds, max_failures=2)

    def fail_often(self, times: int) -> int:
        with capturedLogs() as lines:
            for number in range(times):
                self.events.failed(number, "a:1", FAILED)
        return len(lines)

    def test_failures_are_limited_per_second(self) -> None:
        self.assertEqual([self.fail_often(1) for _ in range(4)], [1, 1, 0, 0])
        self.clock.advance(1)
        self.assertEqual(self.fail_often(5), 2)

    def test_suppressed_failures_are_counted(self) -> None:
        self.fail_often(5)
        self.clock.advance(1)
        self.fail_often(3)
        self.assertEqual(self.events.take_suppressed(), 4)
        self.assertEqual(self.events.take_suppressed(), 0)
