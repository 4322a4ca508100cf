from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile

from tests.cli.printed import printed_by
from tests.cli.test_help import CommandCase
from tlsdemo.cli.man_page import SECTIONS, man_page
from tlsdemo.cli.option_list import CommandEntry, OptionEntry

PAGES = [words.replace(" ", "-") for words in SECTIONS]


class Pages(CommandCase):
    def test_have_every_option(self) -> None:
        pages = "".join(printed_by("man-page", name) for name in PAGES).replace(r"\-", "-")
        told = set(re.findall(r"\\fB(--[a-z-]+)", pages))
        offered = {
            option for _, text in self.helps() for option in re.findall(r"  (--[\w-]+)", text)
        }
        self.assertGreater(len(offered), 80)
        self.assertEqual(offered - told, set())

    def test_have_the_sections_that_are_expected_of_a_page(self) -> None:
        for name in PAGES:
            page = printed_by("man-page", name)
            headings = re.findall(r"^\.SH (.*)$", page, re.MULTILINE)
            self.assertEqual(headings[:4], ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"])
            self.assertEqual(headings[-1], "SEE ALSO")
            self.assertIn("EXIT STATUS", headings)
            escaped = name.replace("-", r"\-")
            self.assertIn(f"\n.SH NAME\n{escaped} \\- ", page)

    def test_of_tlsdemo_has_its_commands_but_no_alias(self) -> None:
        page = printed_by("man-page", "tlsdemo")
        self.assertIn(r".SH TLSDEMO SEQUENCE\-DIAGRAM", page)
        self.assertNotIn("waterfall", page.lower())

    def test_are_the_same_for_the_same_sources(self) -> None:
        self.patch(os, "environ", {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
        self.assertIn(".TH TLSDEMO 1 2023-11-14 ", printed_by("man-page", "tlsdemo"))

    def test_are_accepted_by_man_and_mandoc(self) -> None:
        checks = [
            (["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"], "man"),
            (["mandoc", "-T", "lint", "-W", "warning"], "mandoc"),
        ]
        checks = [(command, name) for command, name in checks if shutil.which(name)]
        if not checks:
            raise self.skipTest("there is neither man nor mandoc: apt-get install mandoc")
        for name in PAGES:
            with tempfile.NamedTemporaryFile("w", suffix=".1") as file:
                file.write(printed_by("man-page", name))
                file.flush()
                for command, _ in checks:
                    done = subprocess.run(
                        [*command, file.name], capture_output=True, text=True, check=False,
                        timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"},
                    )  # fmt: skip
                    said = done.stderr + (done.stdout if command[0] == "mandoc" else "")
                    self.assertEqual((done.returncode, said), (0, ""))


class Text(CommandCase):
    def lines(self, text: str) -> list[str]:
        entry = OptionEntry("some-thing", "s", True, text)
        command = CommandEntry("tlsdemo", "Summary.", "[options]", "Text.", {"Options": (entry,)})
        page = man_page(command)
        return page.partition(".SH OPTIONS\n")[2].partition("\n.SH")[0].splitlines()

    def test_that_would_be_a_request_is_text(self) -> None:
        self.assertEqual(self.lines(".so /etc/passwd")[-1], r"\&.so /etc/passwd")
        self.assertEqual(self.lines("'so x")[-1], r"\(aqso x")

    def test_has_no_escapes_of_its_own(self) -> None:
        self.assertEqual(self.lines(r"\fB^~`-é")[-1], r"\(rsfB\(ha\(ti\(ga\-\[u00E9]")

    def test_shows_options_in_bold(self) -> None:
        self.assertEqual(
            self.lines("See --mode or -r, not a-b.")[-1],
            r"See \fB\-\-mode\fR or \fB\-r\fR, not a\-b.",
        )
        self.assertEqual(
            self.lines("x")[:-1], [".TP", r"\fB\-s\fR, \fB\-\-some\-thing\fR=\fIvalue\fR"]
        )
