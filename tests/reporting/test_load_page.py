"""What the page of a load has; tests/web looks at it in a browser."""

from __future__ import annotations

import random
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import run, window
from tests.reporting.measured_runs import alternating
from tlsdemo.reporting.load_page import LoadPage
from tlsdemo.reporting.run_comparison import RunComparison
from tlsdemo.reporting.window_result import WorkerLoad


class APage(SynchronousTestCase):
    def section(self, page: LoadPage, name: str) -> str:
        found = re.search(
            rf'<section aria-labelledby="{name}-title">(.*?)</section>', page.html(), re.S
        )
        return "" if found is None else found[1]

    def test_has_a_table_of_each_comparison_and_its_notes(self) -> None:
        comparison = RunComparison(*alternating(random.Random(3), 1, 1.3))
        page = LoadPage("A load", "", {"a": run()}, comparisons=[comparison])
        section = self.section(page, "comparison")
        self.assertIn('<h2 id="comparison-title">Comparison</h2>', section)
        self.assertIn("<h3>candidate (1 runs) beside baseline (1 runs)</h3>", section)
        self.assertRegex(
            section,
            r'<th scope="row">p50\(handshake\)</th><td>too few runs, no verdict</td>'
            r"<td>\+\d\d\.\d%</td><td>[\d.]+ ms</td><td>[\d.]+ ms</td>",
        )
        self.assertIn("give --repeat=5 or more", section)

    def test_without_a_comparison_has_no_such_section(self) -> None:
        self.assertEqual(self.section(LoadPage("A load", "", {"a": run()}), "comparison"), "")

    def test_has_no_more_than_some_warnings_at_its_top(self) -> None:
        busy = [window(number, workers=(WorkerLoad(1.0),)) for number in range(1, 9)]
        page = LoadPage("A load", "", {"a": run(busy)})
        section = self.section(page, "verdicts")
        self.assertEqual(section.count('class="warning"'), 4)
        self.assertIn('<li class="warning">5 more such warnings: see the summary</li>', section)
        self.assertEqual(self.section(page, "summary").count("used 100% of a CPU"), 8)
