from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.event_matrix import EventMatrix, traces_of
from tlsdemo.reporting.event_matrix_html import matrix_page
from tlsdemo.reporting.event_matrix_markdown import markdown_page, states_at
from tlsdemo.reporting.event_matrix_text import TABLE_WIDTH, outcomes, sequences_text
from tlsdemo.trace.model import Arrow, End, Mark, Trace
from tlsdemo.trace.observation import STATE, Observation
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event

FACTS: dict[str, Any] = {"peer": True, "alpn": "", "flight": False, "write": False}


def observation(tls: str, *sequences: tuple[str, ...], cause: str = "clean") -> Observation:
    traces = []
    for names in sequences:
        seen: list[Any] = [
            Mark(End.SERVER, Event(name, float(at))) for at, name in enumerate(names)
        ]
        seen.append(Mark(End.SERVER, Event(STATE, 8.0, {**FACTS, "state": "a state"})))
        seen.append(Mark(End.SERVER, Event("closed", 9.0, {"cause": cause})))
        traces.append(Trace("", {}, seen))
    return Observation("pair", tls, "ok", "tlsdemo", "", traces)


MATRIX = EventMatrix(
    [
        observation("1.2", ("secure", "first bytes in")),
        observation("1.3", ("a", "secure"), ("secure", "a"), cause="truncated"),
        Observation("starttls", "1.3", "ok", "node", "there is no node"),
    ],
    {"ok": "All goes well."},
    {"Twisted": "99.1"},
)


def printed(renderable: Any, width: int = 160) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(renderable)
    return stream.getvalue()


class TheOutcomes(SynchronousTestCase):
    def test_have_a_row_for_each_different_outcome_of_a_scenario(self) -> None:
        text = printed(outcomes(MATRIX, TABLE_WIDTH))
        self.assertRegex(text, r"ok +│ pair with TLS 1.2 +│ secure, clean")
        self.assertRegex(text, r"│ +│ pair with TLS 1.3 +│ secure, truncated")

    def test_name_what_was_not_tried(self) -> None:
        self.assertRegex(printed(outcomes(MATRIX, TABLE_WIDTH)), r"│ +│ node +│ not tried")
        self.assertIn("\n  not tried: node\n", printed(outcomes(MATRIX, 80), 80))
        self.assertIn("|  | node | *not tried* |  |", markdown_page(MATRIX, []))
        self.assertIn('node</th><td colspan="2">not tried</td>', matrix_page(MATRIX))

    def test_are_a_list_where_a_table_does_not_fit(self) -> None:
        text = printed(outcomes(MATRIX, TABLE_WIDTH - 1), 80)
        self.assertNotIn("│", text)
        self.assertRegex(text, r"\nok *\n  pair with TLS 1.2 *\n    server +secure, clean")
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_have_a_line_for_an_end_and_one_for_what_it_was_told_where_it_is_narrow(self) -> None:
        text = printed(outcomes(MATRIX, 40), 40)
        self.assertRegex(text, r"\n    server *\n      secure, truncated *\n")

    def test_tell_failures_apart(self) -> None:
        page = matrix_page(MATRIX)
        self.assertIn('<td class="order" data-of="server">secure, clean</td>', page)
        self.assertIn('<td class="failure" data-of="server">secure, truncated</td>', page)

    def test_in_html_can_be_reduced_to_scenarios_with_differences(self) -> None:
        same = EventMatrix(MATRIX.cells[:1], {}, {})
        self.assertIn('<section id="s1" class="differs"', matrix_page(MATRIX))
        self.assertIn('<section id="s1" class="same"', matrix_page(same))


class TheEventSequences(SynchronousTestCase):
    def test_follow_the_description_of_their_scenario(self) -> None:
        text = printed(sequences_text(MATRIX, 160))
        self.assertIn("ok: All goes well.", text)
        self.assertRegex(text, r"server +secure → first bytes in → closed clean")

    def test_of_a_race_are_all_shown(self) -> None:
        text = printed(sequences_text(MATRIX, 160))
        first = text.index(" a → secure → closed truncated")
        race = text.index("or, because this is a race:")
        self.assertLess(first, race)
        self.assertLess(race, text.index(" secure → a → closed truncated"))

    def test_are_missing_with_a_reason_for_cells_that_were_not_observed(self) -> None:
        self.assertIn(
            "not observed, because there is no node: ok: node, TLS 1.3",
            printed(sequences_text(MATRIX, 160)),
        )


class ThePages(SynchronousTestCase):
    def test_have_outcomes_sequences_and_reasons_in_markdown_and_html(self) -> None:
        for page in (markdown_page(MATRIX, MATRIX.cells[:1]), matrix_page(MATRIX)):
            for expected in (
                "99.1",
                "secure, clean",
                "secure → first bytes in",
                "or, because this is a race:",
                "All goes well.",
                "there is no node",
            ):
                self.assertIn(expected, page)

    def test_in_markdown_have_the_states_of_the_selected_cells(self) -> None:
        text = markdown_page(MATRIX, MATRIX.cells[:1])
        self.assertIn("| *a state* | yes | none | no | no |", text)
        self.assertIn("| secure |  |  |  |  |", text)
        self.assertNotIn("## State at each event", markdown_page(MATRIX, []))

    def test_in_html_are_styled_with_the_palettes_of_the_sequence_diagrams(self) -> None:
        page = matrix_page(MATRIX)
        self.assertIn("--paper: ", page)
        self.assertIn("dl.sequences", page)

    def test_in_html_have_no_section_for_reasons_if_all_cells_were_observed(self) -> None:
        observed = EventMatrix(MATRIX.cells[:2], {}, {})
        self.assertNotIn("Not observed", matrix_page(observed))


class TheStatesAtAnEvent(SynchronousTestCase):
    def test_are_empty_before_tls_has_started(self) -> None:
        self.assertEqual(states_at(Event("connected", 0.0)), ["", "", "", ""])

    def test_are_one_text_each(self) -> None:
        self.assertEqual(states_at(Event("secure", 0.0, FACTS)), ["yes", "none", "no", "no"])
        negotiated = Event("secure", 0.0, {**FACTS, "alpn": "http/1.1"})
        self.assertEqual(states_at(negotiated)[1], "http/1.1")


class TheTraces(SynchronousTestCase):
    SEEN: tuple[Mark | Arrow, ...] = (
        Mark(End.SERVER, Event("connected", 0.0)),
        Arrow(End.CLIENT, 0.5, Record(Kind.HANDSHAKE, 9, "TLS 1.0", ("client_hello",))),
    )
    OBSERVED = EventMatrix(
        [
            Observation("pair", "1.2", "KeyUpdate", "tlsdemo", "only TLS 1.3 has it"),
            Observation("pair", "1.3", "ok", "tlsdemo", traces=[Trace("", {}, [*SEEN])]),
        ],
        {},
        {"Twisted": "99.1"},
    )

    def test_have_the_versions_as_facts(self) -> None:
        (trace,) = self.OBSERVED.traces()
        self.assertEqual(trace.facts, {"Twisted": "99.1"})

    def test_can_be_restored_from_json(self) -> None:
        (trace,) = traces_of(self.OBSERVED.as_json())
        self.assertEqual(trace.title, "pair, TLS 1.3, ok")
        self.assertEqual(trace.in_order(), [*self.SEEN])
        self.assertEqual(trace.facts["mode"], "pair")
        self.assertEqual(trace.facts["Twisted"], "99.1")
