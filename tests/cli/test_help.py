"""The help and the version of all commands, and of both plugins for twistd."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo import __version__, tap, tap_client
from tlsdemo.cli.comparison_options import TIMEOUT
from tlsdemo.cli.launched_server import START_WITHIN, STOP_WITHIN
from tlsdemo.cli.main import Command
from tlsdemo.lab.compare.environment_builder import BUILD_TIMEOUT
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.lab.findings.testbed import WAIT_TIMEOUT
from tlsdemo.lab.laboratory import RUN_TIMEOUT
from tlsdemo.loadgen.status_client import ANSWER_WITHIN
from tlsdemo.tls import MODES

WIDTH = 80

GROUPED = ("tlsdemo", "tlsclient", "run")
"""The commands whose help has groups."""

NAME = re.compile(r"  (-\w,|   ) --[\w-]+=? +|    [\w-]+ {6,}")
"""The first column of a line about an option or a subcommand."""


def parents() -> Iterator[tuple[usage.Options, str]]:
    """Return new options, with the command line that leads to each command."""
    yield Command(), ""
    for name, *_ in Command.subCommands:
        yield Command(), name
    for name, options in (("tlsdemo", tap.Options), ("tlsclient", tap_client.Options)):
        twistd = usage.Options()
        twistd.subCommands = [(name, None, options, "")]  # type: ignore[attr-defined, unused-ignore]
        yield twistd, name


class CommandCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(os, "environ", {**os.environ, "COLUMNS": str(WIDTH)})

    def printed(self, parent: usage.Options, name: str, option: str) -> str:
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        exit_ = self.assertRaises(SystemExit, parent.parseOptions, [*name.split(), option])
        self.assertEqual(exit_.code, 0)
        return output.getvalue()

    def helps(self) -> Iterator[tuple[str, str]]:
        """The help of every command, and that with all options where it is another."""
        for parent, name in parents():
            yield name, self.printed(parent, name, "--help")
        for parent, name in parents():
            if name in GROUPED:
                yield name, self.printed(parent, name, "--help-all")


class TheVersion(CommandCase):
    def test_of_every_command_is_that_of_tlsdemo(self) -> None:
        for parent, name in parents():
            self.assertEqual(self.printed(parent, name, "--version"), f"{__version__}\n", name)


class TheBounds(CommandCase):
    """A command finishes what it has begun within bounds that its help names."""

    def text(self, wanted: str) -> str:
        for parent, name in parents():
            if name == wanted:
                return " ".join(self.printed(parent, name, "--help").split())
        raise LookupError(wanted)

    def test_of_findings(self) -> None:
        bounds = [each.timeout + WAIT_TIMEOUT for each in FINDINGS.values()]
        text = self.text("findings")
        self.assertIn(f"at most {max(bounds):g} seconds, all together", text)
        minutes = re.search(r"all together (\d+) minutes", text)
        assert minutes is not None
        self.assertGreaterEqual(int(minutes[1]) * 60, sum(bounds))

    def test_of_events(self) -> None:
        self.assertIn(f"not over after {RUN_TIMEOUT:g} seconds ends", self.text("events"))

    def test_of_a_server_that_is_started(self) -> None:
        expected = f"{START_WITHIN:g} seconds to start and {STOP_WITHIN:g} to stop"
        self.assertIn(expected, self.text("run"))

    def test_of_a_load(self) -> None:
        for name in ("run", "tlsclient"):
            text = self.text(name)
            self.assertIn(f"status service {ANSWER_WITHIN:g} seconds to answer", text)
            self.assertIn("give up after --timeout", text)

    def test_of_other_environments(self) -> None:
        for name in ("run", "events", "findings"):
            expected = f"of building an environment takes at most {BUILD_TIMEOUT / 60:g} minutes"
            self.assertIn(expected, self.text(name))
        for name in ("events", "findings"):
            self.assertIn(f"the command in it {TIMEOUT / 60:g} minutes", self.text(name))


class TheHelp(CommandCase):
    def test_of_every_command_has_a_letter(self) -> None:
        long = [self.printed(parent, name, "--help") for parent, name in parents()]
        short = [self.printed(parent, name, "-h") for parent, name in parents()]
        self.assertEqual(short, long)
        for text in long:
            self.assertIn("  -h, --help ", text)

    def test_of_every_command_survives_any_width(self) -> None:
        for columns in ("1", "0", "-1", "", "wide"):
            os.environ["COLUMNS"] = columns
            for name, text in self.helps():
                self.assertIn("--help", text, f"{name} with COLUMNS={columns!r}")

    def test_of_option_mode_names_every_mode(self) -> None:
        for name, text in self.helps():
            option = re.search(r"^ +--mode=(.*?)^ +-", text, re.MULTILINE | re.DOTALL)
            if option is not None:
                for mode in MODES.values():
                    # The events of a connection that is not secured are not shown.
                    if mode.encrypts or name != "events":
                        self.assertIn(mode.name.value, option[1], f"in the help of {name}")

    def test_of_every_command_has_no_runs_of_spaces_inside_sentences(self) -> None:
        for name, text in self.helps():
            for line in text.splitlines():
                sentence = NAME.sub("", line, count=1).strip()
                self.assertNotIn("  ", sentence, f"{name}: {line!r}")

    def test_of_every_command_fits_into_its_width(self) -> None:
        for name, text in self.helps():
            for line in text.splitlines():
                self.assertLessEqual(len(line), WIDTH, f"{name}: {line!r}")

    def test_of_every_command_describes_each_option_in_sentences(self) -> None:
        for name, text in self.helps():
            description = NAME.sub("\0", re.sub(r"\n {9,}", " ", text))
            for line in description.splitlines():
                if "\0" in line:
                    sentence = line.partition("\0")[2]
                    self.assertRegex(sentence, r"^\S.*[.\]]$", f"{name}: {line!r}")
