"""Traces, and their lines of JSON."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.trace.model import (
    Arrow,
    End,
    Fate,
    Mark,
    NotATrace,
    Trace,
    fields_of,
    line_of,
    lines_of,
    traces_from,
)
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event

HELLO = Record(Kind.HANDSHAKE, 250, "TLS 1.0", ("client_hello",))
SECRET = Record(Kind.APPLICATION_DATA, 53, "TLS 1.2", (), True)


def a_trace() -> Trace:
    return Trace(
        "starttls, TLS 1.3",
        {"mode": "starttls"},
        [
            Mark(End.CLIENT, Event("secure", 0.002, {"alpn": None})),
            Arrow(End.CLIENT, 0.001, HELLO),
            Arrow(End.SERVER, 0.003, SECRET, Fate.DROPPED),
            Mark(End.SERVER, Event("connected", 0.0)),
        ],
    )


class Traces(SynchronousTestCase):
    def test_are_sorted_by_time(self) -> None:
        self.assertEqual([each.at for each in a_trace().in_order()], [0.0, 0.001, 0.002, 0.003])

    def test_keep_the_order_of_what_has_the_same_time(self) -> None:
        both = [Mark(End.CLIENT, Event("b", 1.0)), Mark(End.CLIENT, Event("a", 1.0))]
        self.assertEqual(Trace("", {}, [*both]).in_order(), both)

    def test_have_the_events_of_each_end(self) -> None:
        self.assertEqual([event.name for event in a_trace().marks(End.SERVER)], ["connected"])

    def test_have_the_records_of_both_directions(self) -> None:
        self.assertEqual([arrow.record for arrow in a_trace().arrows()], [HELLO, SECRET])

    def test_have_two_opposite_ends(self) -> None:
        self.assertIs(End.CLIENT.other, End.SERVER)
        self.assertIs(End.SERVER.other, End.CLIENT)


class Lines(SynchronousTestCase):
    def test_restore_the_same_trace(self) -> None:
        trace = a_trace()
        again = traces_from([*lines_of(7, trace), "\n"])[7]
        self.assertEqual(
            (again.title, again.facts, again.seen), (trace.title, trace.facts, trace.in_order())
        )

    def test_of_records_without_messages_are_the_same_as_from_json(self) -> None:
        for encrypted in (True, False):
            record = Record(Kind.APPLICATION_DATA, 53, "TLS 1.2", (), encrypted)
            arrow = Arrow(End.SERVER, 0.25, record, Fate.DROPPED)
            self.assertEqual(json.loads(line_of(3, arrow)), {"connection": 3, **fields_of(arrow)})

    def test_of_several_connections_can_be_interleaved(self) -> None:
        first, second = list(lines_of(1, a_trace())), list(lines_of(2, a_trace()))
        mixed = [line for pair in zip(first, second, strict=True) for line in pair]
        self.assertEqual(traces_from(mixed), traces_from([*first, *second]))

    def test_of_a_second_run_in_the_same_file_do_not_replace_the_first(self) -> None:
        runs = [
            [*lines_of(1, Trace(f"{run} a")), *lines_of(3, Trace(f"{run} b", seen=a_trace().seen))]
            for run in ("first", "second")
        ]
        traces = traces_from([*runs[0], *runs[1]])
        self.assertEqual(
            {number: trace.title for number, trace in traces.items()},
            {1: "first a", 3: "first b", 4: "second a", 5: "second b"},
        )
        self.assertEqual(traces[5].seen, a_trace().in_order())

    def test_that_do_not_belong_to_a_trace_are_reported(self) -> None:
        begin = next(lines_of(1, a_trace()))
        for line, problem in {
            "no JSON": "it is no object of JSON",
            "[]": "it is no object of JSON",
            "{}": "it has no 'connection'",
            '{"connection": 1}': "it has no 'at'",
            '{"connection": 2, "at": 1}': "connection 2 has not begun",
            '{"connection": 1, "at": 1, "from": []}': "it has no 'record'",
            '{"connection": [], "at": 1}': "its values are of another kind",
        }.items():
            error = self.assertRaises(NotATrace, traces_from, [begin, line])
            expected = f"line 2 does not belong to a trace: {problem}: {line!r}"
            self.assertEqual(str(error), expected)

    def test_with_a_value_of_another_kind_are_reported(self) -> None:
        begin = next(lines_of(1, a_trace()))
        mark = '{"connection": 1, "at": 0, "end": "client", "event": "x", "facts": %s}'
        arrow = (
            '{"connection": 1, "at": 0, "from": "client", "record": "plain", "length": %s,'
            ' "version": "", "messages": [], "encrypted": false, "fate": "passed"}'
        )
        for line in (
            '{"connection": 1e400, "begins": "t", "facts": {}}',
            '{"connection": 1, "begins": "t", "facts": [[1, 2]]}',
            (mark % "{}").replace('"at": 0', f'"at": 1{"0" * 400}'),
            mark % "[[1, 2]]",
            mark % '{"a": []}',
            arrow % "1e400",
            arrow % "-1",
            arrow % ("9" * 4000),
            "[" * 100_000,
        ):
            error = self.assertRaises(NotATrace, traces_from, [begin, line])
            self.assertIn("line 2 does not belong to a trace", str(error))
