from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.traces import STATES, arrow, mark, upgraded
from tlsdemo.reporting.sequence_diagram import (
    GAP,
    Gap,
    Known,
    Step,
    duration,
    messages,
    moment,
    printable,
    rows,
    sentence,
    states,
    summary,
    written,
)
from tlsdemo.trace.model import End, Fate, Trace
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event


def steps(*seen: object) -> list[Step | Gap]:
    return list(rows(Trace("t", {}, list(seen))))  # type: ignore[arg-type]


class TheRows(SynchronousTestCase):
    def test_are_all_that_was_seen_in_order(self) -> None:
        trace = upgraded()
        found = [row for row in rows(trace) if isinstance(row, Step)]
        self.assertEqual([row.seen for row in found], trace.in_order())
        self.assertEqual([row.number for row in found], list(range(1, len(found) + 1)))

    def test_tell_of_time_without_anything(self) -> None:
        gaps = [str(row) for row in rows(upgraded()) if isinstance(row, Gap)]
        self.assertEqual(gaps, ["12.3 ms later", "2.5 s later"])

    def test_have_no_gap_before_the_first(self) -> None:
        (row,) = steps(mark(End.CLIENT, 5.0, "connected"))
        self.assertIsInstance(row, Step)

    def test_are_the_further_apart_the_more_time_is_between(self) -> None:
        found = steps(
            *(mark(End.CLIENT, at, "x") for at in (0.0, 0.00004, 0.0001, 0.0004, 0.0014)),
            mark(End.CLIENT, 0.0014 + GAP, "x"),
        )
        spaces = [row.space if isinstance(row, Step) else "gap" for row in found]
        self.assertEqual(spaces, [0, 0, 1, 2, 3, "gap", 0])

    def test_tell_the_facts_that_are_no_states(self) -> None:
        (row,) = steps(mark(End.CLIENT, 0.0, "secure", peer=True, write=False, version="TLSv1.3"))
        assert isinstance(row, Step)
        self.assertEqual(row.details, ("version=TLSv1.3",))

    def test_tell_what_a_state_is_when_it_changes(self) -> None:
        found = steps(
            mark(End.CLIENT, 0.0, "a", alpn=""), mark(End.CLIENT, 0.0, "b", alpn="h2"),
            mark(End.CLIENT, 0.0, "c", alpn="h2"), mark(End.SERVER, 0.0, "d", alpn="h2"),
            mark(End.CLIENT, 0.0, "e", alpn=None),
        )  # fmt: skip
        told = [row.details for row in found if isinstance(row, Step)]
        self.assertEqual(told, [(), ("alpn=h2",), (), ("alpn=h2",), ()])


class States(SynchronousTestCase):
    def test_are_told_in_their_order(self) -> None:
        found = [how for _, how in states(Event("x", 0.0, STATES))]
        self.assertEqual(found, [Known.YES, Known.YES, Known.NO, Known.NO])

    def test_that_are_not_told_are_no_states_that_are_not_so(self) -> None:
        found = [how for _, how in states(Event("x", 0.0, {"alpn": None}))]
        self.assertEqual(found, [Known.UNTOLD, Known.NO, Known.UNTOLD, Known.UNTOLD])

    def test_are_none_if_none_is_told(self) -> None:
        self.assertEqual(states(Event("x", 0.0, {"size": 3})), [])


class TheWords(SynchronousTestCase):
    def sentence(self, seen: object) -> str:
        (row,) = steps(seen)
        assert isinstance(row, Step)
        return sentence(row)

    def test_tell_an_arrow(self) -> None:
        for seen, expected in {
            arrow(Kind.HANDSHAKE, 517, "client_hello"):
                "client to server, handshake record, 517 bytes: client_hello",
            arrow(Kind.APPLICATION_DATA, 1043, sender=End.SERVER, encrypted=True):
                "server to client, encrypted application data record, 1,043 bytes",
            arrow(Kind.PLAIN, 1, "S", sender=End.SERVER):
                "server to client, plain words, 1 byte: “S”",
            arrow(Kind.UNREADABLE, 3, fate=Fate.DROPPED):
                "client to server, dropped, unreadable bytes, 3 bytes",
            arrow(Kind.PLAIN, 6, "RSET\\r\\n", fate=Fate.INJECTED):
                "client to server, injected, plain words, 6 bytes: “RSET\\r\\n”",
        }.items():  # fmt: skip
            self.assertEqual(self.sentence(seen), expected)

    def test_tell_a_mark(self) -> None:
        self.assertEqual(
            self.sentence(mark(End.SERVER, 0.0, "secure", peer=True, alpn="", size=3)),
            "server: secure; the peer's certificate is there: yes; ALPN is known: no; size=3",
        )

    def test_count_what_is_repeated(self) -> None:
        seen = arrow(Kind.HANDSHAKE, 9, "a", "b", "b", "a")
        self.assertEqual(messages(seen.record), "a, b (2 times), a")

    def test_of_no_words_are_none(self) -> None:
        self.assertEqual(messages(arrow(Kind.PLAIN, 9).record), "")

    def test_do_nothing_to_a_terminal(self) -> None:
        self.assertEqual(printable("a\x1b[31m\n\u202eé"), "a\\x1b[31m\\n\\u202eé")
        seen = mark(End.CLIENT, 0.0, "a\x07", **{"b\n": "c\r"})
        self.assertTrue(self.sentence(seen).isprintable())

    def test_write_values_shortly(self) -> None:
        for value, expected in ((None, "none"), (True, "yes"), (False, "no"), (0.25, "0.25"),
                                (7, "7"), ("x\0", "x\\x00")):  # fmt: skip
            self.assertEqual(written(value), expected)

    def test_have_a_unit_that_fits(self) -> None:
        self.assertEqual(
            [duration(each) for each in (2.54, 0.0123, 0.000012)], ["2.5 s", "12.3 ms", "12 µs"]
        )
        self.assertEqual(moment(1.2345678), "1,234.568")

    def test_sum_up(self) -> None:
        self.assertEqual(
            summary(upgraded()),
            "client sent 314 B in 5 pieces, server sent 1,091 B in 7 pieces, 5 events, in 2.5 s",
        )
        one = Trace("t", {}, [arrow(), mark(End.CLIENT, 0.001, "x")])
        self.assertEqual(
            summary(one),
            "client sent 517 B in 1 piece, server sent 0 B in 0 pieces, 1 event, in 1.0 ms",
        )
        self.assertEqual(summary(Trace("t")), "nothing was seen")
