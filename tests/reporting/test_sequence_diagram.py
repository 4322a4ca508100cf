from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.traces import STATES, arrow, mark, upgraded
from tlsdemo.printable import printable
from tlsdemo.reporting.sequence_diagram import (
    StateValue,
    content_text,
    duration,
    fact_text,
    milliseconds,
    states,
    summary,
)
from tlsdemo.reporting.sequence_rows import Step, description, rows
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event


class States(SynchronousTestCase):
    def test_have_their_order(self) -> None:
        found = [value for _, value in states(Event("x", 0.0, STATES))]
        self.assertEqual(found, [StateValue.YES, StateValue.YES, StateValue.NO, StateValue.NO])

    def test_without_a_fact_are_unknown_and_not_false(self) -> None:
        found = [value for _, value in states(Event("x", 0.0, {"alpn": None}))]
        self.assertEqual(
            found, [StateValue.UNKNOWN, StateValue.NO, StateValue.UNKNOWN, StateValue.UNKNOWN]
        )

    def test_are_none_if_no_fact_is_a_state(self) -> None:
        self.assertEqual(states(Event("x", 0.0, {"size": 3})), [])


class TheTexts(SynchronousTestCase):
    def description(self, seen: Mark | Arrow) -> str:
        (row,) = rows(Trace("t", {}, [seen]))
        assert isinstance(row, Step)
        return description(row)

    def test_describe_an_arrow(self) -> None:
        for seen, expected in {
            arrow(Kind.HANDSHAKE, 517, "client_hello"):
                "client to server, handshake record, 517 bytes: client_hello",
            arrow(Kind.APPLICATION_DATA, 1043, sender=End.SERVER, encrypted=True):
                "server to client, encrypted application data record, 1,043 bytes",
            arrow(Kind.PLAIN, 1, "S", sender=End.SERVER):
                "server to client, plaintext, 1 byte: “S”",
            arrow(Kind.UNREADABLE, 3, fate=Fate.DROPPED):
                "client to server, dropped, unreadable bytes, 3 bytes",
            arrow(Kind.PLAIN, 6, "RSET\\r\\n", fate=Fate.INJECTED):
                "client to server, injected, plaintext, 6 bytes: “RSET\\r\\n”",
        }.items():  # fmt: skip
            self.assertEqual(self.description(seen), expected)

    def test_describe_a_mark(self) -> None:
        self.assertEqual(
            self.description(mark(End.SERVER, 0.0, "secure", peer=True, alpn="", size=3)),
            "server: secure; the peer's certificate is available: yes; ALPN is known: no; size=3",
        )

    def test_count_repeated_messages(self) -> None:
        seen = arrow(Kind.HANDSHAKE, 9, "a", "b", "b", "a")
        self.assertEqual(content_text(seen.record), "a, b (2 times), a")

    def test_of_plaintext_that_is_unknown_are_empty(self) -> None:
        self.assertEqual(content_text(arrow(Kind.PLAIN, 9).record), "")

    def test_have_no_control_characters(self) -> None:
        self.assertEqual(printable("a\x1b[31m\n\u202eé"), "a\\x1b[31m\\n\\u202eé")
        seen = mark(End.CLIENT, 0.0, "a\x07", **{"b\n": "c\r"})
        self.assertTrue(self.description(seen).isprintable())

    def test_format_facts(self) -> None:
        for value, expected in ((None, "none"), (True, "yes"), (False, "no"), (0.25, "0.25"),
                                (7, "7"), ("x\0", "x\\x00")):  # fmt: skip
            self.assertEqual(fact_text(value), expected)

    def test_have_a_suitable_unit(self) -> None:
        self.assertEqual(
            [duration(each) for each in (2.54, 0.0123, 0.000012)], ["2.5 s", "12.3 ms", "12 µs"]
        )
        self.assertEqual(milliseconds(1.2345678), "1,234.568")

    def test_summarize_a_trace(self) -> None:
        self.assertEqual(
            summary(upgraded()),
            "client sent 314 B in 5 pieces, server sent 1,091 B in 7 pieces, 5 events, in 2.5 s",
        )
        one = Trace("t", {}, [arrow(), mark(End.CLIENT, 0.001, "x")])
        self.assertEqual(
            summary(one),
            "client sent 517 B in 1 piece, server sent 0 B in 0 pieces, 1 event, in 1.0 ms",
        )
        self.assertEqual(summary(Trace("t")), "an empty trace")
