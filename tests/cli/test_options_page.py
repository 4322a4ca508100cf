from __future__ import annotations

import re

from tests.cli.test_help import CommandCase
from tests.test_architecture import ROOT
from tlsdemo.cli.options_page import page

PAGE = ROOT / "docs" / "options.md"

WORDS = {
    "": "tlsdemo",
    "tlsdemo": "twistd tlsdemo",
    "tlsclient": "twistd tlsclient",
    "waterfall": "tlsdemo sequence-diagram",
}
"""The commands by the names that ``helps`` gives to them, if not those of ``tlsdemo``."""


class ThePage(CommandCase):
    def test_in_the_docs_has_every_option_of_every_command(self) -> None:
        # Word for word, `make check-docs` compares it: some words depend on the versions installed.
        written = PAGE.read_text(encoding="utf-8")
        sections = dict(re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", written, re.M | re.S))
        for name, text in self.helps():
            words = WORDS.get(name, f"tlsdemo {name}")
            offered = set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", text, re.M))
            told = set(re.findall(r"^- .*?`(--[\w-]+)", sections[words], re.M))
            self.assertEqual(offered - told, set(), f"{words}: run `make docs`")

    def test_begins_a_section_for_every_command_in_its_contents(self) -> None:
        contents = re.findall(r"^- \[`(.*)`\]\(#(.*)\)", page(), re.M)
        sections = re.findall(r"^## (.*)$", page(), re.M)
        self.assertGreater(len(sections), 12)
        self.assertEqual(contents, [(each, each.replace(" ", "-")) for each in sections])

    def test_has_no_markup_by_accident(self) -> None:
        text = re.sub(r"`[^`]*`|\\.|^    .*", "", page(), flags=re.M)
        self.assertEqual(re.findall(r"[|<>_]", text), [])
