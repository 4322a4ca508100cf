from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from twisted.logger import globalLogBeginner

from tests.cli.events_process import COMMAND, ONE, EventsCase
from tests.cli.refusals import RefusingCase
from tlsdemo.cli import events_command as events
from tlsdemo.cli.events_command import EventsOptions
from tlsdemo.lab.scenario_matrix import MODES
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.reporting.event_comparison import EventComparison
from tlsdemo.reporting.event_report import write_comparisons


def parsed(*arguments: str) -> EventsOptions:
    options = EventsOptions()
    options.parseOptions(list(arguments))
    return options


class Options(RefusingCase):
    def wrong(self, *arguments: str) -> str:
        return self.refused(lambda: parsed(*arguments))

    def test_an_invalid_value_is_reported_in_one_line(self) -> None:
        for argument, expected in {
            "--mode=clear": "--mode is 'clear', none of starttls, pair, wrapped",
            "--tls=1.1": "--tls is '1.1', none of 1.2, 1.3",
            "--scenario=out": "--scenario is 'out', none of ok, ",
            "--way=": "--scenario is '', none of ok, ",
            "--stack=curl": "--stack is 'curl', none of asyncio-start_tls, ",
            "--format=pdf": "--format is 'pdf', none of text, json, markdown, html",
            "--times=0": "--times is '0', not between 1 and 1,000",
            "--output=/nowhere/file": "--output is '/nowhere/file', and that folder does not exist",
            "--keylog=/nowhere/file": "--keylog is '/nowhere/file', and that folder does not exist",
            "--keylog=/": "--keylog is '/', which is a folder; name a file",
            "--expect=/nowhere/file": "--expect is '/nowhere/file': No such file or directory",
            "--expect=/etc/passwd": "--expect is '/etc/passwd', not a file from --format=json",
            "--stack=none --stack=node-tlssocket": "--stack is 'node-tlssocket', and other stacks "
            "are named as well; leave none away",
            "--list --against=twisted": "--against is 'twisted', and --list makes no connections",
            "--list --sequences": "--sequences is given, and --list makes no connections",
        }.items():
            message = self.wrong(*argument.split())
            self.assertTrue(message.startswith(f"tlsdemo events: {expected}"), message)
            self.assertTrue(message.endswith("(try: tlsdemo events --help)"), message)

    def test_a_sequence_diagram_is_drawn_as_text_or_html_and_for_a_few(self) -> None:
        for option in ("--sequence-diagram", "--waterfall"):
            self.assertIn("--sequence-diagram needs --format=", self.wrong(option, "--format=json"))
            message = self.wrong(option)
            self.assertIn("--sequence-diagram draws at most 12 connections", message)

    def test_former_names_are_aliases(self) -> None:
        former = parsed("--way=ok", "--peer=none", "--orders", "--waterfall", "--tls=1.3")
        current = parsed(
            "--scenario=ok", "--stack=none", "--sequences", "--sequence-diagram", "--tls=1.3"
        )
        self.assertEqual(dict(former), dict(current))

    def test_only_the_differences_that_matter_most_are_shown_of_everything(self) -> None:
        self.assertTrue(parsed().only_surprises)
        for option in ("--full", "--sequences", "--details", "--mode=pair", "--scenario=ok"):
            self.assertFalse(parsed(option).only_surprises, option)
        self.assertFalse(parsed("--tls=1.3").only_surprises)
        self.assertFalse(parsed("--stack=none").only_surprises)

    def test_a_file_for_keys_that_cannot_be_opened_leaves_nothing_behind(self) -> None:
        self.patch(tempfile, "tempdir", self.mktemp())
        Path(tempfile.gettempdir()).mkdir()
        self.patch(globalLogBeginner, "beginLoggingTo", lambda *_, **__: None)
        folder = Path(self.mktemp())
        folder.mkdir()
        options = parsed(f"--keylog={folder / 'keys'}")
        # Only now: what is wrong before is refused with the command line.
        (folder / "keys").mkdir()
        # The warning comes first, and is a line as well.
        exit_ = self.assertRaises(SystemExit, options.run)
        self.assertEqual(exit_.code, 2)
        expected = f"--keylog='{folder.absolute() / 'keys'}' cannot be opened: Is a directory\n"
        self.assertIn(expected, self.errors.getvalue())
        self.assertEqual(list(Path(tempfile.gettempdir()).iterdir()), [])


class Selected(RefusingCase):
    def test_are_all_by_default(self) -> None:
        wanted = parsed().selection()
        self.assertEqual((wanted.modes, wanted.tls), (MODES, ("1.2", "1.3")))
        self.assertEqual(
            (wanted.scenarios, wanted.peers), (tuple(SCENARIOS), events.DEFAULT_STACKS)
        )

    def test_have_no_other_stacks_if_modes_are_selected(self) -> None:
        wanted = parsed("--mode=pair", "--mode=pair", "--tls=1.2").selection()
        self.assertEqual((wanted.modes, wanted.tls, wanted.peers), (("pair",), ("1.2",), ()))

    def test_have_no_modes_of_ours_if_stacks_are_selected(self) -> None:
        wanted = parsed("--stack=twisted-pair").selection()
        self.assertEqual((wanted.modes, wanted.peers), ((), ("twisted-pair",)))
        both = parsed("--stack=twisted-pair", "--mode=pair").selection()
        self.assertEqual((both.modes, both.peers), (("pair",), ("twisted-pair",)))

    def test_can_have_no_other_stacks(self) -> None:
        wanted = parsed("--stack=none").selection()
        self.assertEqual((wanted.modes, wanted.peers), (MODES, ()))

    def test_are_scenarios_by_name_or_its_beginning(self) -> None:
        self.assertEqual(parsed("--scenario=ok").selection().scenarios, ("ok",))
        certificates = ("missing", "untrusted", "expired")
        self.assertEqual(
            parsed("--scenario=Client cert", "--scenario=rst", "--scenario=RST")
            .selection()
            .scenarios,
            (*(f"client certificate {each}" for each in certificates), "RST"),
        )


class Listed(RefusingCase):
    def shown(self) -> str:
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(parsed("--list").run(), 0)
        return output.getvalue()

    def test_are_the_scenarios_and_the_other_stacks(self) -> None:
        text = self.shown()
        for expected in (*(scenario.description for scenario in SCENARIOS.values()), *STACKS):
            self.assertIn(expected, text)

    def test_is_the_reason_why_a_stack_is_not_available(self) -> None:
        self.patch(os, "environ", {**os.environ, "PATH": ""})
        self.assertIn("(not available: there is no node on the PATH that runs)", self.shown())


class Expected(RefusingCase):
    """What --expect names may come from anywhere, such as a bug report."""

    def file(self, content: object) -> str:
        path = Path(self.mktemp()).absolute()
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def cell(self, **fields: object) -> object:
        cell = {"mode": "starttls", "tls": "1.3", "way": "ok", "peer": "tlsdemo", **fields}
        return {"versions": {}, "cells": [cell]}

    def test_is_reported_if_it_is_something_else(self) -> None:
        for content in (
            "[" * 100_000,
            5,
            {"cells": [[]]},
            self.cell(server=5),
            self.cell(client=[{}]),
            self.cell(wire={"a": 1}),
        ):
            option = f"--expect={self.file(content)}"
            message = self.refused(lambda each=option: parsed(*ONE, each))  # type: ignore[misc]
            self.assertIn("not a file from --format=json (try: ", message)

    def test_is_printed_without_control_characters(self) -> None:
        output = io.StringIO()
        baseline = self.cell(server=["\x1b[31mred\rforged", {"name": 5}])
        options = parsed(*ONE, f"--expect={self.file(baseline)}")
        here: Any = self.cell(server=[])
        comparison = EventComparison("pinned", options._expected, here, ("expected", "here"))
        write_comparisons([comparison], output, details=False)
        self.assertTrue(comparison.differences)
        self.assertIn("\\x1b[31mred\\rforged", output.getvalue())
        self.assertNotIn("\x1b", output.getvalue())

    def test_may_name_no_versions(self) -> None:
        for versions in ({}, {"versions": 3}, {"versions": {"Twisted": 1}}):
            options = parsed(*ONE, f"--expect={self.file({'cells': [], **versions})}")
            here: Any = {"versions": {}, "cells": []}
            lines = EventComparison("pinned", options._expected, here).lines()
            self.assertIn("No differences from pinned", next(lines))
            list(lines)


class Commands(EventsCase):
    def test_show_one_connection_as_text(self) -> None:
        text = self.output_of(*ONE)
        self.assertIn("Outcome on each end", text)
        self.assertIn("startTLS called → startTLS returned → ClientHello seen", text)
        self.assertNotIn("State at each", text)

    def test_write_markdown(self) -> None:
        text = self.output_of("--format=markdown", *ONE[:2], "--scenario=ok w", "--times=1")
        self.assertIn("## State at each event", text)
        self.assertIn("| secure | yes | none | yes | yes |", text)

    def test_do_not_write_keys_behind_a_link(self) -> None:
        other = self.home / "other"
        other.touch(0o600)
        (self.home / "link").symlink_to(other)
        running = self.start(*COMMAND, *ONE, "--keylog=link")
        self.assertEqual(running.wait(), 2)
        self.assertIn("cannot be opened: it is a symbolic link\n", running.output)
        self.assertEqual(other.read_bytes(), b"")

    def test_say_if_keys_could_not_be_written(self) -> None:
        running = self.start(*COMMAND, *ONE, "--keylog=/dev/full", "--output=page")
        self.assertEqual(running.wait(), 2)
        said = "tlsdemo events: --keylog='/dev/full' is not written any more: "
        self.assertIn(f"{said}it cannot be written: No space left on device\n", running.output)

    def test_end_with_one_line_if_there_is_no_room_for_certificates(self) -> None:
        # Without a limit of time, as it once waited for ever.
        (self.home / "file").touch()
        program = (
            "import sys, tlsdemo.cli.events_run as module\n"
            "module.mkdtemp = lambda prefix: 'file'\n"
            "from tlsdemo.cli.main import main\n"
            "sys.exit(main())\n"
        )
        running = self.start(sys.executable, "-c", program, "events", *ONE)
        self.assertEqual(running.wait(), 1)
        self.assertEqual(
            running.output,
            "tlsdemo events: the certificates cannot be written to 'file': Not a directory; "
            "set TMPDIR to another folder\n",
        )

    def test_end_with_one_line_if_the_output_cannot_be_written(self) -> None:
        running = self.start(*COMMAND, *ONE, "--output=/")
        self.assertEqual(running.wait(), 2)
        self.assertTrue(
            running.output.startswith("tlsdemo events: --output is '/', which is a folder"),
            running.output,
        )
