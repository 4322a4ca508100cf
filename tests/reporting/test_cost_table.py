from __future__ import annotations

import io

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.test_cost_differences import run
from tlsdemo.reporting.cost_differences import differences
from tlsdemo.reporting.cost_table import cost_table


class TheTable(SynchronousTestCase):
    def test_has_the_metrics_of_each_mode_under_its_name(self) -> None:
        baseline = {"pair": [run(0.001)] * 2, "clear": [run(0.001)] * 2}
        candidate = {"pair": [run(0.002)] * 2, "clear": [run(0.001)] * 2}
        printed = io.StringIO()
        table = cost_table(differences(baseline, candidate), "the title")
        Console(file=printed, width=120).print(table)
        lines = printed.getvalue().splitlines()
        self.assertIn("the title", lines[0])
        (pair,) = [number for number, line in enumerate(lines) if "│ pair " in line]
        (clear,) = [number for number, line in enumerate(lines) if "│ clear " in line]
        for number, expected in {
            pair + 1: ["CPU per MB, ms", "1.0", "2.0", "2.00 (2.00 to 2.00): candidate"],
            clear + 1: [
                "CPU per MB, ms",
                "1.0",
                "1.0",
                "1.00 (1.00 to 1.00): no sig",
            ],
        }.items():
            position = 0
            for text in expected:
                position = lines[number].index(text, position)
