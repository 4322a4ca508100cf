from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.finding_comparison import (
    comparison_json,
    comparison_markdown,
    observed_there,
    print_comparison,
)


def result(twisted: str, **verdicts: str) -> dict[str, Any]:
    return {
        "versions": {"Python": "3.11.7", "Twisted": twisted},
        "findings": [
            {"name": name, "title": "A title.", "verdict": verdict, "evidence": [f"{name} seen"]}
            for name, verdict in verdicts.items()
        ],
    }


HERE = result("26.10", first="still so", second="still so", third="no longer so")
THERE = result("25.5", first="still so", second="not yet so", third="no longer so")


class TheComparison(SynchronousTestCase):
    def printed(self, everything: bool = False, width: int = 80, **others: Any) -> list[str]:
        file = io.StringIO()
        print_comparison(Console(file=file, width=width), HERE, others, everything)
        return file.getvalue().splitlines()

    def test_begins_with_the_answer_and_has_rows_only_for_what_differs(self) -> None:
        lines = self.printed(old=THERE)
        self.assertEqual(lines[0], "1 of 3 differs from old.")
        rows = [line.split("\u2502")[1:-1] for line in lines if "\u2502" in line]
        self.assertEqual(
            [[text.strip() for text in row] for row in rows],
            [["\u2260", "second", "still so", "not yet so"]],
        )

    def test_counts_what_is_alike_and_says_which_versions_differ(self) -> None:
        self.assertEqual(
            self.printed(old=THERE)[-4:],
            [
                "2 alike: 1 still so, 1 no longer so",
                "here:  Twisted 26.10",
                "there: Twisted 25.5",
                "both:  Python 3.11.7",
            ],
        )

    def test_has_the_alike_ones_below_if_everything_is_wanted(self) -> None:
        text = "\n".join(self.printed(everything=True, old=THERE))
        self.assertLess(text.index("second"), text.index("first"))

    def test_has_no_table_if_nothing_differs(self) -> None:
        self.assertEqual(
            self.printed(old=HERE),
            [
                "No differences from old: 3 are alike.",
                "2 still so, 1 no longer so",
                "both:  Python 3.11.7, Twisted 26.10",
            ],
        )

    def test_has_a_column_for_each_of_several_candidates(self) -> None:
        lines = self.printed(old=THERE, older=result("24.7", first="not yet so"))
        self.assertEqual(lines[0], "3 of 3 differ from old, older.")
        self.assertIn("old", lines[2].split())
        text = "\n".join(lines)
        self.assertIn("not in the catalogue", text)

    def test_fits_80_columns_with_the_longest_name(self) -> None:
        name = "handshake-completed-though-wrong-name"
        here = result("26.10", **{name: "no longer so"})
        file = io.StringIO()
        there = result("25.5", **{name: "still so"})
        print_comparison(Console(file=file, width=80), here, {"old": there}, False)
        self.assertIn(f" {name} ", file.getvalue())

    def test_is_a_section_of_the_page(self) -> None:
        text = comparison_markdown(HERE, {"old": THERE})
        self.assertIn("| finding | here | old |\n|---|---|---|\n", text)
        self.assertIn("| second | still so | not yet so |\n", text)
        self.assertNotIn("|", comparison_markdown(HERE, {"old": HERE}))

    def test_is_part_of_the_document(self) -> None:
        self.assertEqual(comparison_json(HERE, {}), HERE)
        (against,) = comparison_json(HERE, {"old": THERE})["against"]
        self.assertEqual(against["findings"], THERE["findings"])
        change = {
            "name": "second",
            "change": "holds for the baseline only",
            "baseline": "still so, second seen",
            "candidate": "not yet so, second seen",
        }
        self.assertEqual((against["name"], against["differences"]), ("old", [change]))

    def test_can_be_told_with_what_was_observed_there(self) -> None:
        self.assertEqual(
            observed_there("second", {"old": THERE}),
            ["Observed with old:", "  second seen", "", "Verdict there: not yet so", ""],
        )
        self.assertIn("Verdict there: not in the catalogue", observed_there("x", {"old": THERE}))
