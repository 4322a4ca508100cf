from __future__ import annotations

import io
import shlex

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.event_matrix import EventMatrix
from tlsdemo.reporting.event_matrix_markdown import markdown_page
from tlsdemo.reporting.event_report import write_matrix
from tlsdemo.reporting.event_surprises import SURPRISES, Told, told
from tlsdemo.reporting.event_surprises_text import surprises_text
from tlsdemo.trace.model import End, Mark, Trace
from tlsdemo.trace.observation import Observation
from tlsdemo.trace.timeline import Event


def seen(
    scenario: str,
    name: str,
    *events: str,
    tls: str = "1.3",
    end: End = End.SERVER,
    **facts: str | bool,
) -> Observation:
    """What a mode of ours, or another stack, was told on one end."""
    ours = name in ("starttls", "pair", "wrapped")
    marks = [Mark(end, Event(each, float(at), facts)) for at, each in enumerate(events)]
    trace = Trace("", {}, list(marks))
    return Observation(
        name if ours else "starttls", tls, scenario, "tlsdemo" if ours else name, "", [trace]
    )


def rows(*cells: Observation) -> dict[str, list[tuple[str, str]]]:
    found = told(EventMatrix(list(cells), {}, {}))
    return {each.surprise.scenario: each.rows for each in found}


class SurprisesTests(SynchronousTestCase):
    def test_one_is_told_with_all_who_differ(self) -> None:
        found = rows(
            seen("EOF after the handshake", "pair", "secure", "closed", cause="truncated"),
            seen("EOF after the handshake", "node-tlssocket", "secure", "close"),
            seen("EOF after the handshake", "node-securepair", "secure", "close"),
        )
        self.assertEqual(
            found,
            {
                "EOF after the handshake": [
                    ("pair", "secure, truncated"),
                    ("node-tlssocket, node-securepair", "secure, close"),
                ]
            },
        )

    def test_what_is_not_so_any_more_is_not_told(self) -> None:
        offered = "ALPN only offered"
        good = seen(offered, "twisted-starttls", "handshakeCompleted", "connectionLost")
        self.assertEqual(rows(good), {})
        bad = seen(offered, "twisted-starttls", "connectionLost", reason="Error")
        self.assertEqual(rows(bad), {offered: [("all", "connectionLost Error")]})

    def test_a_client_of_tls_1_3_is_secure_too_early(self) -> None:
        scenario = "client certificate missing"
        early = ("handshakeCompleted", "secure", "closed")
        (shown,) = rows(
            seen(scenario, "pair", *early, end=End.CLIENT, cause="rejected by peer"),
            seen(scenario, "pair", "insecure", tls="1.2", end=End.CLIENT, cause="rejected by peer"),
        ).values()
        self.assertEqual(
            shown,
            [
                ("all with TLS 1.3", "handshakeCompleted, secure, rejected by peer"),
                ("all with TLS 1.2", "rejected by peer"),
            ],
        )

    def test_the_state_at_handshake_completed_is_shown_if_it_is_known(self) -> None:
        scenario = "ok with client certificate"
        found = rows(
            seen(scenario, "pair", "handshakeCompleted", flight=False),
            seen(scenario, "starttls", "handshakeCompleted", flight=True),
            seen(scenario, "wrapped", "handshakeCompleted"),
        )
        self.assertEqual(found, {scenario: [("pair", "not sent yet"), ("starttls", "sent")]})

    def test_the_order_of_the_first_data_is_shown(self) -> None:
        asyncio = seen("ok", "asyncio-start_tls", "data_received", "start_tls returned")
        node = seen("ok", "node-tlssocket", "secure", "data")
        nothing = seen("ok", "pair", "connected")
        found = [each.rows for each in told(EventMatrix([asyncio, node, nothing], {}, {}))]
        self.assertEqual(
            found,
            [
                [
                    ("asyncio-start_tls", "data_received → start_tls returned"),
                    ("node-tlssocket", "secure → data"),
                ],
                [("asyncio-start_tls", "start_tls returned"), ("node-tlssocket", "secure")],
            ],
        )

    def test_there_are_eight(self) -> None:
        self.assertEqual(len(SURPRISES), 8)


MATRIX = EventMatrix(
    [
        seen("EOF during the handshake", "pair", "insecure", cause="handshake interrupted"),
        seen("EOF during the handshake", "node-tlssocket", "close"),
        seen("ok", "pair", "secure", "closed", cause="clean"),
    ],
    {},
    {"Twisted": "99.1"},
)


def shown(width: int) -> str:
    lines = surprises_text(list(told(MATRIX)), width)
    return "".join(f"{line}\n" for line, _ in lines)


class ReportTests(SynchronousTestCase):
    def test_a_text_has_sentence_reason_table_and_command(self) -> None:
        text = shown(100)
        for words in (
            "1. A handshake that breaks off is no failure to some.",
            "Whoever counts errors",
            "the server is told",
            'tlsdemo events --scenario "EOF during the handshake"',
        ):
            self.assertIn(words, text)
        self.assertRegex(text, r"\n  pair +handshake interrupted\n  node-tlssocket +close\n")

    def test_a_row_that_does_not_fit_is_two_lines(self) -> None:
        text = shown(30)
        self.assertIn("\n  the server is told:\n  pair\n      handshake interrupted\n", text)

    def test_only_the_command_is_longer_than_a_line_so_that_it_can_be_pasted(self) -> None:
        long = [line.split()[0] for line in shown(40).splitlines() if len(line) > 40]
        self.assertEqual(long, ["tlsdemo"])

    def test_a_name_with_an_apostrophe_can_be_pasted(self) -> None:
        for each in SURPRISES:
            *_, (command, _), _ = surprises_text([Told(each, [])], 80)
            expected = ["tlsdemo", "events", "--scenario", each.scenario]
            self.assertEqual(shlex.split(command), expected)

    def test_a_report_of_surprises_says_how_to_see_the_rest(self) -> None:
        stream = io.StringIO()
        write_matrix(MATRIX, "text", stream, False, only_surprises=True)
        self.assertNotIn("Outcome on each end", stream.getvalue())
        self.assertIn("--full shows what was seen in all 2 scenarios", stream.getvalue())

    def test_a_page_begins_with_them(self) -> None:
        page = markdown_page(MATRIX, [])
        self.assertLess(page.index("## What surprises"), page.index("## Outcome on each end"))
        self.assertIn("   | node-tlssocket | close |", page)
        others = EventMatrix(MATRIX.cells[2:], {}, {})
        self.assertNotIn("## What surprises", markdown_page(others, []))
