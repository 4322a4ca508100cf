"""Whatever a peer chooses, nothing but printable text leaves through any edge."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from twisted.logger import (
    ILogObserver,
    LogEvent,
    eventAsText,
    formatEventAsClassicLogText,
)
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.options import fail
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.printable_logger import LONGEST, PrintableLogger
from tlsdemo.printable import printable
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.reporting.html_page import html_text
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.run_text import result_lines, run_line
from tlsdemo.reporting.sequence_diagram_html import page
from tlsdemo.reporting.sequence_diagram_text import text as diagram
from tlsdemo.reporting.terminal import LONGEST as LONGEST_LINE
from tlsdemo.reporting.terminal import print_line, write_line
from tlsdemo.tls import ConnectionInfo
from tlsdemo.trace.model import Arrow, End, Mark, Trace, begin_line, line_of
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event

QUICKLY = settings(derandomize=True, max_examples=75)

HOSTILE = (
    "a\r\x1b[2K2026-11-25T00:00:00+0000 [tlsdemo#info] FORGED",
    "\x00\x07\x08\x0b\x7f\x80\x9b\x85",
    "line\u2028separator\u2029",
    "\u202eevil\u2066\u200f\ufeff",
    "\ud800\udfff",
    "[red]markup[/red] {braces} %s",
    "<script>alert('x')</script>\"'&",
    "x" * 100_000,
)
texts = st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=60)


def logged(act: Callable[[EventLog], object]) -> list[str]:
    events: list[str] = []

    def observe(event: LogEvent) -> None:
        events.append(formatEventAsClassicLogText(event) or "")

    act(EventLog(logger(observe), lambda: 0.0, detailed=True))
    return events


def logger(observe: Callable[[LogEvent], object]) -> PrintableLogger:
    return PrintableLogger("tlsdemo", observer=cast(ILogObserver, observe))


class PrintableTests(SynchronousTestCase):
    def check_line(self, line: str) -> None:
        self.assertTrue(line.isprintable(), ascii(line[:200]))

    @QUICKLY
    @given(texts)
    def test_nothing_unprintable_is_left(self, text: str) -> None:
        self.check_line(printable(text))
        self.assertLessEqual(len(printable(text, 50)), 10 * 50 + 20)

    def test_printable_text_is_not_changed(self) -> None:
        for text in ("", "CN=Zoë, O=a\\b", "日本"):
            self.assertEqual(printable(text), text)

    def test_a_long_text_is_cut_off_with_a_note(self) -> None:
        self.assertEqual(printable("abcdef", 4), "abcd… (2 more)")
        self.assertEqual(printable("abcd", 4), "abcd")

    @QUICKLY
    @given(texts)
    def test_the_log_has_one_line_for_an_event_whatever_its_facts(self, text: str) -> None:
        def act(log: EventLog) -> None:
            log.failed(1, "peer", CloseReason(Cause.PROTOCOL_ERROR, text))
            details = log.detail_logger(1, "peer")
            assert details is not None
            details(Mark(End.SERVER, Event("secure", 0.0, {"sni": text, "alpn": text})))

        lines = logged(act)
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.check_line(line.removesuffix("\n"))
            self.assertLess(len(line), 12 * LONGEST)

    @QUICKLY
    @given(texts)
    def test_texts_of_the_library_are_one_line(self, text: str) -> None:
        info = ConnectionInfo("TLSv1.3", "AES", text, text, text, group=text)
        for line in (str(info), str(CloseReason(Cause.CLEAN, text))):
            self.check_line(line)

    @QUICKLY
    @given(texts)
    def test_lines_of_json_are_lines(self, text: str) -> None:
        event = Mark(End.SERVER, Event("secure", 0.0, {"sni": text}))
        for line in (begin_line(1, text, {"peer": text}), line_of(1, event)):
            self.assertTrue(line.isascii())
            self.check_line(line)
            json.loads(line)

    @QUICKLY
    @given(texts)
    def test_diagrams_show_printable_text(self, text: str) -> None:
        text = text[:200]
        record = Record(Kind.PLAIN, len(text), "", (text,))
        seen: list[Mark | Arrow] = [
            Mark(End.SERVER, Event(text, 0.0, {text: text})),
            Arrow(End.CLIENT, 0.0, record),
        ]
        trace = Trace(text, {text: text}, seen)
        for line in (*diagram([trace]).split("\n"), *page([trace]).split("\n")):
            self.check_line(line)
        self.assertNotIn("<script", page([trace]))

    @QUICKLY
    @given(texts)
    def test_html_has_no_markup_of_a_peer(self, text: str) -> None:
        for character in "<>\"'":
            self.assertNotIn(character, html_text(text))

    @QUICKLY
    @given(texts)
    def test_names_of_runs_are_printed_in_one_line(self, text: str) -> None:
        events: list[str] = []
        log = logger(lambda event: events.append(eventAsText(event)))
        log.info("{line}", line=run_line(text, 1, 2), run=text)
        (line,) = events
        self.check_line(line)

    @QUICKLY
    @given(texts)
    def test_a_load_client_prints_lines(self, text: str) -> None:
        """What the servers that it loads, and their status service, say."""
        counters = LoadCounters(failed={text: 2}, details={text: text})
        result = RunResult(text, 1, counters, 1.0, 1.0, arrived=1, problem=text)
        stream = io.StringIO()
        console = Console(file=stream, width=40)
        lines = list(result_lines(result))
        for line in lines:
            print_line(console, line)
            write_line(stream, line)
        written = stream.getvalue().removesuffix("\n").split("\n")
        self.assertEqual(len(written), 2 * len(lines))
        for line in written:
            self.check_line(line)
            self.assertLess(len(line), 11 * LONGEST_LINE)

    @QUICKLY
    @given(texts)
    def test_the_last_words_of_a_command_are_one_line(self, text: str) -> None:
        errors = io.StringIO()
        self.patch(sys, "stderr", errors)
        self.assertRaises(SystemExit, fail, "tlsdemo", text)
        self.check_line(errors.getvalue().removesuffix("\n"))

    def test_the_logger_leaves_other_values_alone(self) -> None:
        seen: list[object] = []
        log = logger(seen.append)
        stream = io.StringIO()
        log.info("{a}", a=3, b={"\n": ["\r", ("\x1b",)]}, c=stream)
        (event,) = seen
        assert isinstance(event, dict)
        self.assertEqual(event["b"], {"\\n": ["\\r", ["\\x1b"]]})
        self.assertIs(event["c"], stream)
