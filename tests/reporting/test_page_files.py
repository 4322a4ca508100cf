from __future__ import annotations

import re
from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.page_files import data_file
from tlsdemo.reporting.sequence_diagram_html import DECISIVE_EVENTS
from tlsdemo.trace.model import End
from tlsdemo.trace.record import Kind

STYLE = data_file("sequence_diagram.css")

BACKGROUNDS = {"paper", "card", "chosen"}
NOT_FOR_TEXT = {"rule"}

ENOUGH = 4.5
"""The contrast that WCAG 2.2 requires of text (criterion 1.4.3)."""


def palettes() -> list[dict[str, str]]:
    """The light and the dark palette of the style sheet: colours by name."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    found = [dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block)) for block in blocks]
    return [palette for palette in found if palette]


LIGHT, DARK = palettes()


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


class ThePalettes(SynchronousTestCase):
    def test_have_the_same_colours_in_dark_and_light(self) -> None:
        self.assertEqual(set(LIGHT), set(DARK))

    def test_have_enough_contrast_on_every_background(self) -> None:
        for palette in (LIGHT, DARK):
            text = set(palette) - BACKGROUNDS - NOT_FOR_TEXT
            for name, background in product(sorted(text), sorted(BACKGROUNDS)):
                found = contrast(palette[name], palette[background])
                self.assertGreaterEqual(found, ENOUGH, f"{name} on {background}: {found:.2f}")

    def test_have_enough_contrast_in_the_names_of_the_ends(self) -> None:
        for end in End:
            self.assertGreaterEqual(contrast(LIGHT[end.value], "#ffffff"), ENOUGH)
            self.assertGreaterEqual(contrast(DARK[end.value], "#0d1117"), ENOUGH)

    def test_contrast_is_measured_as_wcag_defines_it(self) -> None:
        self.assertAlmostEqual(contrast("#000000", "#ffffff"), 21)
        self.assertAlmostEqual(contrast("#777777", "#ffffff"), 4.48, places=2)


class TheStyleSheets(SynchronousTestCase):
    def test_use_every_colour_and_no_other(self) -> None:
        used = set(re.findall(r"var\(--([a-z]+)\)", STYLE)) - {"c", "k"}
        self.assertEqual(used - set(LIGHT), set())
        self.assertEqual(set(LIGHT) - used, set(), "never used")

    def test_have_a_rule_for_every_kind_of_record_and_event_and_for_both_ends(self) -> None:
        for name in [
            *(kind.value for kind in Kind),
            *set(DECISIVE_EVENTS.values()),
            *(end.value for end in End),
        ]:
            self.assertIn(f".{name}", STYLE)

    def test_have_rules_for_paper_and_for_dark_and_wide_windows(self) -> None:
        for query in ("@media print", "prefers-color-scheme: dark", "@container", "@media (min-w"):
            self.assertIn(query, STYLE)

    def test_close_every_block(self) -> None:
        for name in ("sequence_diagram.css", "event_matrix.css"):
            self.assertEqual(data_file(name).count("{"), data_file(name).count("}"))
