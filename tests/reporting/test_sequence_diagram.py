from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.traces import STATES, arrow, mark, upgraded
from tlsdemo.reporting.sequence_diagram import (
    GAP,
    Gap,
    StateValue,
    Step,
    content_text,
    description,
    duration,
    fact_text,
    milliseconds,
    printable,
    rows,
    states,
    summary,
)
from tlsdemo.trace.model import End, Fate, Trace
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event


def steps(*seen: object) -> list[Step | Gap]:
    return list(rows(Trace("t", {}, list(seen))))  # type: ignore[arg-type]


class TheRows(SynchronousTestCase):
    def test_are_the_marks_and_arrows_in_order(self) -> None:
        trace = upgraded()
        found = [row for row in rows(trace) if isinstance(row, Step)]
        self.assertEqual([row.seen for row in found], trace.in_order())
        self.assertEqual([row.number for row in found], list(range(1, len(found) + 1)))

    def test_include_pauses(self) -> None:
        gaps = [str(row) for row in rows(upgraded()) if isinstance(row, Gap)]
        self.assertEqual(gaps, ["12.3 ms later", "2.5 s later"])

    def test_begin_without_a_pause(self) -> None:
        (row,) = steps(mark(End.CLIENT, 5.0, "connected"))
        self.assertIsInstance(row, Step)

    def test_are_further_apart_the_more_time_is_between_them(self) -> None:
        found = steps(
            *(mark(End.CLIENT, at, "x") for at in (0.0, 0.00004, 0.0001, 0.0004, 0.0014)),
            mark(End.CLIENT, 0.0014 + GAP, "x"),
        )
        spaces = [row.space if isinstance(row, Step) else "gap" for row in found]
        self.assertEqual(spaces, [0, 0, 1, 2, 3, "gap", 0])

    def test_have_the_facts_that_are_not_states(self) -> None:
        (row,) = steps(mark(End.CLIENT, 0.0, "secure", peer=True, write=False, version="TLSv1.3"))
        assert isinstance(row, Step)
        self.assertEqual(row.details, ("version=TLSv1.3",))

    def test_have_the_text_of_a_state_when_it_changes(self) -> None:
        found = steps(
            mark(End.CLIENT, 0.0, "a", alpn=""), mark(End.CLIENT, 0.0, "b", alpn="h2"),
            mark(End.CLIENT, 0.0, "c", alpn="h2"), mark(End.SERVER, 0.0, "d", alpn="h2"),
            mark(End.CLIENT, 0.0, "e", alpn=None),
        )  # fmt: skip
        details = [row.details for row in found if isinstance(row, Step)]
        self.assertEqual(details, [(), ("alpn=h2",), (), ("alpn=h2",), ()])


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
    def description(self, seen: object) -> str:
        (row,) = steps(seen)
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
