from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.state_machines_page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "state-machines.md"


class ThePage(SynchronousTestCase):
    def test_in_the_docs_is_up_to_date(self) -> None:
        self.assertEqual(PAGE.read_text(encoding="utf-8"), page(), "run `make docs`")
