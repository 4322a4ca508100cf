"""The help in groups of both plugins for twistd, and of ``tlsdemo run``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tests.cli.test_help import GROUPED, CommandCase, parents
from tlsdemo import tap, tap_client
from tlsdemo.cli.option_groups import Group, GroupedOptions
from tlsdemo.cli.run_command import RunOptions

COMMANDS: tuple[type[GroupedOptions], ...] = (tap.Options, tap_client.Options, RunOptions)

HEADINGS = [group.value for group in Group]


def options_of(command: GroupedOptions) -> list[str]:
    """The options that a command accepts, without former names."""
    names = [name.rstrip("=") for name in command.longOpt]
    return [name for name in names if name not in command.aliases]


class GroupedCase(CommandCase):
    def sections(self, option: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """Each command, and the options under each heading of its help."""
        for parent, name in parents():
            if name in GROUPED:
                text = self.printed(parent, name, option)
                parts = re.split(r"^(\w[\w ]*):$", text, flags=re.MULTILINE)[1:]
                found = zip(parts[::2], parts[1::2], strict=True)
                yield (
                    name,
                    {
                        heading: re.findall(r"^ .{4} --([a-z-]+)", part, re.MULTILINE)
                        for heading, part in found
                    },
                )


class Groups(GroupedCase):
    def test_have_every_option_exactly_once(self) -> None:
        for make in COMMANDS:
            grouped = [name for names in make.grouped().values() for name in names]
            self.assertEqual(
                Counter(grouped),
                Counter(options_of(make())),
                f"name each option of {make.command} once, in `groups` beside `optParameters`",
            )

    def test_are_all_in_the_help_of_all_options_in_order(self) -> None:
        for name, sections in self.sections("--help-all"):
            expected = [each for each in HEADINGS if each in sections]
            self.assertEqual(list(sections), expected, name)
            make = COMMANDS[GROUPED.index(name)]
            self.assertEqual(
                sections, {group.value: names for group, names in make.grouped().items() if names}
            )

    def test_come_in_the_same_order_with_only_the_essential_options(self) -> None:
        for name, sections in self.sections("--help"):
            self.assertEqual(list(sections), [each for each in HEADINGS if each in sections], name)
            shown = [option for names in sections.values() for option in names]
            make = COMMANDS[GROUPED.index(name)]
            self.assertCountEqual(shown, [*make.essential.split(), "help", "help-all", "version"])

    def test_begin_with_the_essential_options(self) -> None:
        for make in COMMANDS:
            for group, names in make.grouped().items():
                if group is not Group.HELP:
                    essential = [name in make.essential.split() for name in names]
                    self.assertEqual(essential, sorted(essential, reverse=True), group)


class TheHelp(GroupedCase):
    def test_shows_ten_options(self) -> None:
        for make in COMMANDS:
            self.assertEqual(len(set(make.essential.split())), 10, make.command)

    def test_says_where_the_others_are(self) -> None:
        for make in COMMANDS:
            command = make()
            last = command.getUsage().splitlines()[-1]
            count = len(options_of(command))
            self.assertEqual(last, f"{make.command} --help-all shows all {count} options.")

    def test_of_all_options_explains_each(self) -> None:
        for parent, name in parents():
            if name in GROUPED:
                text = " ".join(self.printed(parent, name, "--help-all").split())
                command = COMMANDS[GROUPED.index(name)]()
                for option in options_of(command):
                    self.assertIn(command.docs[option], text, f"--{option}")


class Defaults(CommandCase):
    """What is chosen together has the same name in the help of each option."""

    def default(self, command: GroupedOptions, option: str) -> str:
        found = re.search(r"\[default: (.*)\]$", command.docs[option])
        assert found is not None, f"{command.command} --{option} names no default"
        return found[1]

    def test_of_the_certificates_are_the_demo_certificates(self) -> None:
        for make in COMMANDS:
            for option in ("cert", "key", "ca"):
                self.assertEqual(self.default(make(), option), "the demo certificates")

    def test_that_depend_on_another_option_say_whose_they_are(self) -> None:
        owners = {
            "delivery": "the mode's",
            "max-line": "the dialect's",
            "idle-timeout": "the dialect's",
        }
        for make in COMMANDS:
            command = make()
            for option, owner in owners.items():
                if option in command.docs and command.defaults[option] is None:
                    self.assertIn(owner, self.default(command, option), make.command)
