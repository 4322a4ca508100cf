from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.traces import arrow, mark, upgraded
from tlsdemo.reporting.sequence_rows import (
    GAP,
    Fold,
    Gap,
    Row,
    Step,
    differences,
    rows,
)
from tlsdemo.trace.model import End, Trace
from tlsdemo.trace.observation import STATE
from tlsdemo.trace.record import Kind


def steps(*seen: object) -> list[Row]:
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

    def test_have_the_seconds_since_the_first_one(self) -> None:
        # A trace of the laboratory begins before its servers have started.
        found = steps(mark(End.CLIENT, 5.5, "secure"), mark(End.CLIENT, 5.0, "connected"))
        times = [row.at for row in found if isinstance(row, Step)]
        self.assertEqual(times, [0.0, 0.5])

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
        (row,) = steps(mark(End.CLIENT, 0.0, "closed", cause="clean", detail=""))
        assert isinstance(row, Step)
        self.assertEqual(row.details, ("cause=clean",))

    def test_have_the_text_of_a_state_when_it_changes(self) -> None:
        found = steps(
            mark(End.CLIENT, 0.0, "a", alpn=""), mark(End.CLIENT, 0.0, "b", alpn="h2"),
            mark(End.CLIENT, 0.0, "c", alpn="h2"), mark(End.SERVER, 0.0, "d", alpn="h2"),
            mark(End.CLIENT, 0.0, "e", alpn=None),
        )  # fmt: skip
        details = [row.details for row in found if isinstance(row, Step)]
        self.assertEqual(details, [(), ("alpn=h2",), (), ("alpn=h2",), ()])

    def test_are_folded_if_they_are_states_of_openssl_on_one_end(self) -> None:
        def state(end: End, name: str) -> object:
            return mark(end, 0.0, STATE, state=name)

        found = steps(
            state(End.CLIENT, "a"), state(End.CLIENT, "b"), state(End.SERVER, "c"),
            mark(End.SERVER, 0.0, "secure"), state(End.SERVER, "d"), state(End.SERVER, "e"),
        )  # fmt: skip
        first, alone, secure, last = found
        assert isinstance(first, Fold) and isinstance(last, Fold)
        self.assertEqual(
            (first.end, first.names, str(first)), (End.CLIENT, ("a", "b"), "2 OpenSSL states")
        )
        self.assertEqual((last.end, last.names, last.first.number), (End.SERVER, ("d", "e"), 5))
        self.assertEqual(str(alone), "1 OpenSSL state")
        self.assertIsInstance(secure, Step)

    def test_know_where_a_complete_handshake_is_not_yet_secure(self) -> None:
        found = steps(
            mark(End.SERVER, 0.0, "connected"), mark(End.SERVER, 0.0, "handshakeCompleted"),
            arrow(), mark(End.CLIENT, 0.0, "handshakeCompleted"), arrow(),
            mark(End.SERVER, 0.0, "secure"), mark(End.CLIENT, 0.0, "insecure"),
        )  # fmt: skip
        waiting = [row.waiting for row in found if isinstance(row, Step)]
        server, client, none = {End.SERVER}, {End.CLIENT}, set[End]()
        self.assertEqual(waiting, [none, none, server, server, server | client, client, none])

    def test_tell_how_long_a_complete_handshake_was_not_secure(self) -> None:
        found = steps(
            mark(End.CLIENT, 0.0, "handshakeCompleted"), mark(End.CLIENT, 0.00025, "secure"),
            mark(End.CLIENT, 0.00025, "secure"),
        )  # fmt: skip
        details = [row.details for row in found if isinstance(row, Step)]
        self.assertEqual(details, [(), ("0.2 ms after handshakeCompleted",), ()])

    def test_that_the_other_diagram_lacks_are_marked(self) -> None:
        found = list(rows(Trace("", {}, [mark(End.CLIENT, 0.0, "a"), arrow()]), {2}))
        self.assertEqual([isinstance(row, Step) and row.only_here for row in found], [False, True])


class Differences(SynchronousTestCase):
    def trace(self, *names: str) -> Trace:
        marks = [mark(End.SERVER, float(at), name) for at, name in enumerate(names)]
        return Trace("", {}, [*marks])

    def test_are_the_events_that_only_one_of_two_has(self) -> None:
        traces = [self.trace("a", "b", "c"), self.trace("a", "c", "d", "e")]
        self.assertEqual(differences(traces), [{2}, {3, 4}])

    def test_are_events_in_another_order(self) -> None:
        found = differences([self.trace("a", "b"), self.trace("b", "a")])
        self.assertEqual([len(each) for each in found], [1, 1])

    def test_are_records_with_another_content_but_not_of_another_length(self) -> None:
        traces = [Trace("", {}, [arrow(length=length)]) for length in (1, 2)]
        self.assertEqual(differences(traces), [set(), set()])
        traces[1].seen = [arrow(Kind.ALERT)]
        self.assertEqual(differences(traces), [{1}, {1}])

    def test_are_never_states_of_openssl(self) -> None:
        self.assertEqual(differences([self.trace("a"), self.trace("a", STATE)]), [set(), set()])

    def test_of_one_trace_are_none(self) -> None:
        self.assertEqual(differences([self.trace("a")]), [set()])
