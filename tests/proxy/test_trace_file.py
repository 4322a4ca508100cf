"""Which connections are traced, and what a service writes down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from itertools import permutations
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from tests.trace.qlog_schema import problem_of, texts
from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.net.private_file import CannotOpen
from tlsdemo.proxy.diagnostics import NO_DIAGNOSTICS, Diagnostics
from tlsdemo.proxy.trace_file import TraceFile, TraceFormat, begin_file
from tlsdemo.trace.model import End, Mark, traces_from
from tlsdemo.trace.timeline import Event

NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


class TracingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.file = AppendOnlyFile("trace", self.path, Clock())
        self.addCleanup(self.file.close)

    def trace_file(self, every: int = 1, most: int = 0) -> TraceFile:
        return TraceFile(self.file, every, most, {"mode": "pair"}, lambda: NOON)


class TraceFileTests(TracingCase):
    def test_the_first_and_every_nth_connection_are_traced(self) -> None:
        trace_file = self.trace_file(every=3)
        numbers = [number for number in range(1, 10) if trace_file.writer(number, "here")]
        self.assertEqual(numbers, [1, 3, 6, 9])

    def test_a_trace_begins_with_its_facts(self) -> None:
        write = self.trace_file().writer(4, "127.0.0.1:5")
        assert write is not None
        write(Mark(End.SERVER, Event("connected", 0.0)))
        self.file.close()
        traces = traces_from(self.path.read_text(encoding="utf-8").splitlines())
        self.assertEqual([*traces], [4])
        self.assertEqual(traces[4].title, "connection 4 from 127.0.0.1:5")
        facts = {"mode": "pair", "peer": "127.0.0.1:5", "began": "2026-11-24T12:00:00.000+00:00"}
        self.assertEqual(traces[4].facts, facts)
        self.assertEqual([event.name for event in traces[4].marks(End.SERVER)], ["connected"])

    def test_a_trace_is_cut_off_when_it_is_too_long_and_others_go_on(self) -> None:
        trace_file = self.trace_file(most=300)
        one, other = trace_file.writer(1, "a"), trace_file.writer(2, "b")
        assert one is not None and other is not None
        for at in range(20):
            one(Mark(End.SERVER, Event("an event", float(at))))
        other(Mark(End.SERVER, Event("an event", 0.0)))
        self.file.close()
        traces = traces_from(self.path.read_text(encoding="utf-8").splitlines())
        names = [event.name for event in traces[1].marks(End.SERVER)]
        self.assertLess(len(names), 8)
        self.assertEqual(names[-1], "trace cut off")
        self.assertEqual([event.name for event in traces[2].marks(End.SERVER)], ["an event"])

    def test_a_trace_may_be_qlog(self) -> None:
        begin_file(self.file, TraceFormat.QLOG)
        trace_file = replace(self.trace_file(most=300), trace_format=TraceFormat.QLOG)
        write = trace_file.writer(1, "127.0.0.1:5")
        assert write is not None
        for at in range(5):
            write(Mark(End.SERVER, Event("connected", float(at))))
        self.file.close()
        found = texts(self.path.read_text(encoding="utf-8"))
        for text in found:
            self.assertIsNone(problem_of(text))
        self.assertEqual(found[-1]["name"], "tlsdemo:trace_cut_off")

    def test_another_start_goes_on_with_a_file_of_its_format(self) -> None:
        for trace_format, other in permutations(TraceFormat):
            path = Path(self.mktemp())
            first = AppendOnlyFile("trace", path, Clock())
            begin_file(first, trace_format)
            TraceFile(first, trace_format=trace_format).writer(1, "here")
            first.close()
            written = path.read_bytes()
            second = AppendOnlyFile("trace", path, Clock())
            self.addCleanup(second.close)
            begin_file(second, trace_format)
            second.flush()
            self.assertEqual(path.read_bytes(), written)
            problem = self.assertRaises(CannotOpen, begin_file, second, other)
            self.assertEqual(
                str(problem),
                f"--trace is {str(second.path)!r}, which has traces in format "
                f"{trace_format.value}, and --trace-format is {other.value}; name another file",
            )

    def test_nothing_is_traced_after_the_file_is_closed(self) -> None:
        self.file.close()
        self.assertIsNone(self.trace_file().writer(1, "here"))


class DiagnosticsTests(TracingCase):
    def logged_by(self, diagnostics: Diagnostics) -> list[tuple[LogLevel, str]]:
        found: list[tuple[LogLevel, str]] = []

        def log(event: LogEvent) -> None:
            found.append((event["log_level"], event["log_format"].format(**event)))

        observer: Any = log
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        diagnostics.begin()
        return found

    def test_by_default_nothing_is_prepared_or_logged(self) -> None:
        self.assertEqual(NO_DIAGNOSTICS.preparations, [])
        self.assertEqual(self.logged_by(NO_DIAGNOSTICS), [])
        NO_DIAGNOSTICS.end()

    def test_event_logging_prepares_each_context(self) -> None:
        self.assertEqual(len(Diagnostics(log_events=True).preparations), 1)

    def test_the_path_of_the_trace_file_is_logged(self) -> None:
        diagnostics = Diagnostics(trace_file=self.trace_file())
        self.assertEqual(len(diagnostics.preparations), 1)
        ((level, text),) = self.logged_by(diagnostics)
        self.assertEqual(level, LogLevel.info)
        self.assertIn(str(self.path.absolute()), text)
        diagnostics.end()
        self.assertFalse(self.file.is_open)

    def test_a_key_log_is_logged_as_unsafe(self) -> None:
        diagnostics = Diagnostics(keylog=self.file)
        self.assertEqual(len(diagnostics.preparations), 1)
        ((level, text),) = self.logged_by(diagnostics)
        self.assertEqual(level, LogLevel.critical)
        self.assertTrue(text.startswith("UNSAFE: the secrets of all connections are written to "))
        diagnostics.end()
        self.assertFalse(self.file.is_open)
