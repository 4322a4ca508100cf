from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.event_matrix import markdown, orders, outcomes, truth
from tlsdemo.trace.model import End, Mark, Trace
from tlsdemo.trace.observation import STATE, Observation
from tlsdemo.trace.timeline import Event

FACTS: dict[str, Any] = {"peer": True, "alpn": "", "flight": False, "write": False}
SENTENCES = {"ok": "All goes well."}


def observation(tls: str, *orders_seen: tuple[str, ...], cause: str = "clean") -> Observation:
    traces = []
    for names in orders_seen:
        seen: list[Any] = [
            Mark(End.SERVER, Event(name, float(at))) for at, name in enumerate(names)
        ]
        seen.append(Mark(End.SERVER, Event(STATE, 8.0, {**FACTS, "state": "a state"})))
        seen.append(Mark(End.SERVER, Event("closed", 9.0, {"cause": cause})))
        traces.append(Trace("", {}, seen))
    return Observation("pair", tls, "ok", "tlsdemo", "", traces)


CELLS = [
    observation("1.2", ("secure", "first bytes in")),
    observation("1.3", ("a", "secure"), ("secure", "a"), cause="truncated"),
    Observation("starttls", "1.3", "ok", "node", "there is no node"),
]


def shown(renderable: Any) -> str:
    stream = io.StringIO()
    Console(file=stream, width=160).print(renderable)
    return stream.getvalue()


class TheTable(SynchronousTestCase):
    def test_has_a_row_for_what_differs_in_a_way(self) -> None:
        text = shown(outcomes(CELLS))
        self.assertRegex(text, r"ok +│ TLS 1.2 +│ secure, clean")
        self.assertRegex(text, r"│ +│ TLS 1.3 +│ secure, truncated")


class TheOrders(SynchronousTestCase):
    def test_are_shown_with_the_sentence_of_their_way(self) -> None:
        text = shown(orders(CELLS, SENTENCES))
        self.assertIn("ok: All goes well.", text)
        self.assertRegex(text, r"server +secure → first bytes in → closed clean")

    def test_are_both_shown_where_they_are_a_race(self) -> None:
        text = shown(orders(CELLS, SENTENCES))
        one = text.index(" a → secure → closed truncated")
        either = text.index("or, as this is a race:")
        self.assertLess(one, either)
        self.assertLess(either, text.index(" secure → a → closed truncated"))

    def test_are_not_of_what_was_not_seen(self) -> None:
        self.assertIn("not seen, as there is no node: ok: node, TLS 1.3", shown(orders(CELLS, {})))


class ThePage(SynchronousTestCase):
    def test_says_all_of_it_in_markdown(self) -> None:
        text = markdown(CELLS, SENTENCES, CELLS[:1], {"Twisted": "99.1"})
        for expected in (
            "99.1",
            "secure, clean",
            "| *a state* | yes | none | no | no |",
            "| secure |  |  |  |  |",
            "or, as this is a race:",
            "All goes well.",
            "there is no node",
        ):
            self.assertIn(expected, text)


class TheTruth(SynchronousTestCase):
    def test_is_a_word_for_each_fact_and_nothing_before_there_is_tls(self) -> None:
        self.assertEqual(truth(Event("connected", 0.0)), ["", "", "", ""])
        self.assertEqual(truth(Event("secure", 0.0, FACTS)), ["yes", "none", "no", "no"])
        agreed = Event("secure", 0.0, {**FACTS, "alpn": "http/1.1"})
        self.assertEqual(truth(agreed)[1], "http/1.1")
