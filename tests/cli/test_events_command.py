from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

from twisted.logger import globalLogBeginner

from tests.cli.events_process import COMMAND, ONE, EventsCase
from tests.cli.refusals import RefusingCase
from tlsdemo.cli import events_command as events
from tlsdemo.cli.events_command import EventsOptions
from tlsdemo.lab.scenario_matrix import MODES
from tlsdemo.lab.scenarios import SCENARIOS


def parsed(*arguments: str) -> EventsOptions:
    options = EventsOptions()
    options.parseOptions(list(arguments))
    return options


class Options(RefusingCase):
    def wrong(self, *arguments: str) -> str:
        return self.refused(lambda: parsed(*arguments))

    def test_what_is_none_is_said_in_one_line_with_its_value(self) -> None:
        for argument, expected in {
            "--mode=clear": "--mode is 'clear', none of starttls, pair, wrapped",
            "--tls=1.1": "--tls is '1.1', none of 1.2, 1.3",
            "--way=out": "--way is 'out', none of ok, ",
            "--way=": "--way is '', none of ok, ",
            "--peer=curl": "--peer is 'curl', none of asyncio-start_tls, ",
            "--format=pdf": "--format is 'pdf', none of text, json, markdown, html",
            "--times=0": "--times is '0', not between 1 and 1,000",
            "--output=/nowhere/file": "--output is '/nowhere/file', in no folder that exists",
            "--keylog=/nowhere/file": "--keylog is '/nowhere/file', in no folder that exists",
        }.items():
            said = self.wrong(argument)
            self.assertTrue(said.startswith(f"tlsdemo events: {expected}"), said)
            self.assertTrue(said.endswith("(try: tlsdemo events --help)"), said)

    def test_a_waterfall_is_drawn_as_text_or_html_and_of_a_few(self) -> None:
        self.assertIn("--waterfall needs --format=", self.wrong("--waterfall", "--format=json"))
        self.assertIn("--waterfall draws 12 connections at the most", self.wrong("--waterfall"))

    def test_a_file_for_keys_that_cannot_be_opened_leaves_nothing_behind(self) -> None:
        self.patch(tempfile, "tempdir", self.mktemp())
        Path(tempfile.gettempdir()).mkdir()
        self.patch(globalLogBeginner, "beginLoggingTo", lambda *_, **__: None)
        # The warning comes first, and is a line as well.
        exit_ = self.assertRaises(SystemExit, parsed("--keylog=/").run)
        self.assertEqual(exit_.code, 1)
        self.assertIn("--keylog is '/': Is a directory\n", self.errors.getvalue())
        self.assertEqual(list(Path(tempfile.gettempdir()).iterdir()), [])


class Selected(RefusingCase):
    def test_are_all_unless_something_is_asked_for(self) -> None:
        wanted = parsed().selection()
        self.assertEqual((wanted.modes, wanted.tls), (MODES, ("1.2", "1.3")))
        self.assertEqual((wanted.scenarios, wanted.peers), (tuple(SCENARIOS), events.BY_DEFAULT))

    def test_are_no_foreign_servers_if_modes_are_asked_for(self) -> None:
        wanted = parsed("--mode=pair", "--mode=pair", "--tls=1.2").selection()
        self.assertEqual((wanted.modes, wanted.tls, wanted.peers), (("pair",), ("1.2",), ()))

    def test_are_none_of_ours_if_foreign_servers_are_asked_for(self) -> None:
        wanted = parsed("--peer=twisted-pair").selection()
        self.assertEqual((wanted.modes, wanted.peers), ((), ("twisted-pair",)))
        both = parsed("--peer=twisted-pair", "--mode=pair").selection()
        self.assertEqual((both.modes, both.peers), (("pair",), ("twisted-pair",)))

    def test_are_none_that_are_foreign_on_demand(self) -> None:
        wanted = parsed("--peer=none").selection()
        self.assertEqual((wanted.modes, wanted.peers), (MODES, ()))

    def test_are_ways_by_name_or_by_its_beginning(self) -> None:
        self.assertEqual(parsed("--way=ok").selection().scenarios, ("ok",))
        certificates = ("missing", "untrusted", "expired")
        self.assertEqual(
            parsed("--way=Client cert", "--way=rst", "--way=RST").selection().scenarios,
            (*(f"client certificate {each}" for each in certificates), "RST"),
        )


class Listed(RefusingCase):
    def shown(self) -> str:
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(parsed("--list").run(), 0)
        return output.getvalue()

    def test_are_the_ways_and_the_foreign_servers(self) -> None:
        text = self.shown()
        descriptions = [scenario.description for scenario in SCENARIOS.values()]
        for expected in (*descriptions, *events.FOREIGN):
            self.assertIn(expected, text)

    def test_is_why_a_foreign_server_is_not_here(self) -> None:
        self.patch(os, "environ", {**os.environ, "PATH": ""})
        self.assertIn("(not here: there is no node on the PATH that runs)", self.shown())


class Commands(EventsCase):
    def test_show_one_connection_as_text(self) -> None:
        text = self.output_of(*ONE)
        self.assertIn("What each end was told", text)
        self.assertIn("startTLS called → startTLS returned → ClientHello seen", text)
        self.assertNotIn("What is true", text)

    def test_write_markdown(self) -> None:
        text = self.output_of("--format=markdown", *ONE[:2], "--way=ok w", "--times=1")
        self.assertIn("## What is true at each event", text)
        self.assertIn("| secure | yes | none | yes | yes |", text)

    def test_end_with_one_line_if_the_output_cannot_be_written(self) -> None:
        running = self.start(*COMMAND, *ONE, "--output=/")
        self.assertEqual(running.wait(), 1)
        self.assertEqual(running.output, "tlsdemo events: --output is '/': Is a directory\n")
