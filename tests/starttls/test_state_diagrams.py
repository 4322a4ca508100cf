from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from runpy import run_module

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Rule, State
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.starttls.state_diagrams import diagram, page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dialects.md"


class PageTests(SynchronousTestCase):
    def test_in_the_docs_is_up_to_date(self) -> None:
        printed = page(DIALECTS.values())
        message = f"run: python -m tlsdemo.starttls.state_diagrams > docs/{PAGE.name}"
        self.assertEqual(PAGE.read_text(encoding="utf-8"), printed, message)

    def test_has_both_roles_of_every_dialect(self) -> None:
        printed = page(DIALECTS.values())
        for dialect in DIALECTS.values():
            self.assertIn(f"## {dialect.name}\n", printed)
            for negotiation in (dialect.server, dialect.client):
                self.assertIn(diagram(negotiation.table), printed)

    def test_is_printed(self) -> None:
        printed = StringIO()
        self.patch(sys, "stdout", printed)
        self.patch(sys, "modules", {k: v for k, v in sys.modules.items() if "diagram" not in k})
        run_module("tlsdemo.starttls.state_diagrams", run_name="__main__")
        self.assertEqual(printed.getvalue(), page(DIALECTS.values()))


class DiagramTests(SynchronousTestCase):
    def test_shows_states_in_order_and_the_transitions_between_them(self) -> None:
        table = {
            (State.START, CONNECTED): Rule(State.GREETED, b"Hello\r\n"),
            (State.GREETED, "GO"): Rule(State.SWITCHED),
            (State.GREETED, "ON"): Rule(State.SWITCHED),
            (State.GREETED, OTHER): Rule(State.REFUSED, b"Bye\r\n", Cause.UPGRADE_REFUSED),
        }
        self.assertEqual(
            diagram(table).splitlines(),
            [
                "stateDiagram-v2",
                '    state "start" as START',
                '    state "greeted" as GREETED',
                '    state "switched to TLS" as SWITCHED',
                '    state "refused" as REFUSED',
                "    [*] --> START",
                "    START --> GREETED : connected / Hello",
                "    GREETED --> SWITCHED : GO or ON",
                "    GREETED --> REFUSED : anything else / Bye (peer refused TLS)",
                "    SWITCHED --> [*]",
                "    REFUSED --> [*]",
            ],
        )

    def label(self, name: str, sent: bytes) -> str:
        (line,) = [
            line
            for line in diagram({(State.START, name): Rule(State.SWITCHED, sent)}).splitlines()
            if "START --> SWITCHED" in line
        ]
        return line.partition(" : ")[2]

    def test_shows_only_the_first_line_of_an_answer(self) -> None:
        self.assertEqual(self.label("A", b"one\r\ntwo\r\n"), "A / one …")
        self.assertEqual(self.label("A", b"x" * 100), "A / " + "x" * 60 + " …")

    def test_shows_binary_data_in_hexadecimal(self) -> None:
        self.assertEqual(self.label("A", b"\x00\x16\xff"), "A / 00 16 ff")
        self.assertEqual(self.label("A", b"\x00" * 100), "A / " + "00 " * 8 + "…")

    def test_escapes_what_has_a_meaning_in_mermaid(self) -> None:
        self.assertEqual(self.label("A; B", b"<a>: #1\r\n"), "A#59; B / #60;a#62;#58; #35;1")
