"""The page of a load, a file, in a real browser."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.reporting.load_results import run, window
from tests.reporting.measured_runs import alternating
from tests.web.browser import BrowserCase
from tlsdemo.reporting.load_page import LoadPage
from tlsdemo.reporting.run_comparison import RunComparison


class TheLoadPage(BrowserCase):
    def write(self, *comparisons: RunComparison, **runs: Any) -> None:
        page = LoadPage(
            "Load on <tcp:127.0.0.1:1>", "In a test.", runs,
            [(True, "check lost==0: yes, 0"), (False, "check p99(handshake)<1ms: NO, 5.00 ms")],
            {"Python": "3"}, comparisons,
        )  # fmt: skip
        path = Path(self.mktemp()).absolute().with_suffix(".html")
        path.write_text(page.html(), encoding="utf-8")
        self.page = path.as_uri()

    def test_is_complete_accessible_and_fits_at_both_widths_and_in_both_schemes(self) -> None:
        self.write(a=run([window(1, 50.0), window(2, 100.0)], problem="stopped before its end"))
        for width in (400, 1280):
            for scheme in ("light", "dark"):
                self.show(width=width, scheme=scheme)
                self.wait_for("document.querySelectorAll('.chart canvas').length === 6")
                self.assert_accessible()
        self.assertEqual(self.value("performance.getEntriesByType('resource').length"), 0)
        self.assert_no_complaints()

    def test_shows_the_distributions_the_course_the_failures_and_the_figures(self) -> None:
        self.write(a=run())
        self.show()
        self.wait_for("document.querySelectorAll('.chart canvas').length === 6")
        titles = self.value("[...document.querySelectorAll('h2')].map((each) => each.textContent)")
        self.assertEqual(
            titles,
            [
                "Verdicts",
                "Latency distributions",
                "Course",
                "Failures by cause",
                "Figures",
                "Summary",
            ],
        )
        rows = self.value(
            "[...document.querySelectorAll('tbody tr')].map((each) => "
            "[...each.children].map((cell) => cell.textContent))"
        )
        self.assertIn(["truncated", "4", "0.80%", "after </script> 3 bytes"], rows)
        self.assertIn(["<b>bold</b>", "1", "0.20%", ""], rows)
        self.assertTrue(any(row[:2] == ["handshake, 50/s", "500"] for row in rows), rows)

    def test_draws_distributions_on_an_axis_of_nines(self) -> None:
        self.write(a=run())
        self.show()
        self.wait_for("document.querySelectorAll('.chart canvas').length === 6")
        # What is drawn: not every pixel of a canvas is alike.
        drawn = (
            "[...document.querySelectorAll('.chart canvas')].every((each) => new Set(new "
            "Uint32Array(each.getContext('2d').getImageData(0, 0, each.width, each.height)"
            ".data.buffer)).size > 2)"
        )
        self.assertTrue(self.value(drawn))

    def test_of_several_runs_tells_them_apart(self) -> None:
        compared = RunComparison(*alternating(random.Random(3), 5))
        self.write(compared, **{"tcp:a run 1": run(), "tcp:b run 1": run()})
        self.show(width=400, scheme="dark")
        self.wait_for("document.querySelectorAll('.chart canvas').length > 4")
        self.assertIn("tcp:b run 1, 50/s", self.text("#figures"))
        self.assert_accessible()
        self.assert_no_complaints()
