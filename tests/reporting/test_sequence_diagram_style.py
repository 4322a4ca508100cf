from __future__ import annotations

import re
from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.sequence_diagram_html import MOODS
from tlsdemo.reporting.sequence_diagram_style import DARK, GROUNDS, LIGHT, NO_WORDS, STYLE
from tlsdemo.trace.model import End
from tlsdemo.trace.record import Kind

ENOUGH = 4.5
"""The contrast that WCAG 2.2 demands of text (criterion 1.4.3)."""


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


class TheStyle(SynchronousTestCase):
    def test_has_the_same_colours_in_dark_and_light(self) -> None:
        self.assertEqual(set(LIGHT), set(DARK))

    def test_can_be_read(self) -> None:
        for palette in (LIGHT, DARK):
            words = set(palette) - {*GROUNDS, *NO_WORDS}
            for name, ground in product(sorted(words), GROUNDS):
                found = contrast(palette[name], palette[ground])
                self.assertGreaterEqual(found, ENOUGH, f"{name} on {ground}: {found:.2f}")

    def test_can_be_read_on_the_names_of_the_ends(self) -> None:
        for end in End:
            self.assertGreaterEqual(contrast(LIGHT[end.value], "#ffffff"), ENOUGH)
            self.assertGreaterEqual(contrast(DARK[end.value], "#0d1117"), ENOUGH)
        for palette in (LIGHT, DARK):
            self.assertGreaterEqual(contrast(palette["ink"], palette["card"]), ENOUGH)

    def test_measures_contrast_as_the_standard_does(self) -> None:
        self.assertAlmostEqual(contrast("#000000", "#ffffff"), 21)
        self.assertAlmostEqual(contrast("#777777", "#ffffff"), 4.48, places=2)

    def test_uses_only_colours_that_it_has(self) -> None:
        used = set(re.findall(r"var\(--([a-z]+)\)", STYLE)) - {"c", "k"}
        self.assertEqual(used - set(LIGHT), set())
        self.assertEqual(set(LIGHT) - used, set(), "never used")

    def test_knows_every_kind_and_mood(self) -> None:
        for name in [*(kind.value for kind in Kind), *set(MOODS.values()), *(e.value for e in End)]:
            self.assertIn(f".{name}", STYLE)

    def test_is_for_paper_and_for_dark_and_narrow_windows(self) -> None:
        for query in ("@media print", "prefers-color-scheme:dark", "@container", "@media (min-w"):
            self.assertIn(query, STYLE)
        self.assertEqual(STYLE.count("{"), STYLE.count("}"))
