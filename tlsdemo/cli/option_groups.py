"""Options in groups: ``--help`` shows the few that most people need, ``--help-all`` all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import ClassVar

from tlsdemo.cli.options import Options, help_width
from tlsdemo.cli.standard_output import show


class Group(Enum):
    """The groups, in the order of the help; the value is the heading."""

    LISTENING = "Listening and connecting"
    TLS = "TLS"
    BEFORE_TLS = "Before TLS"
    LIMITS = "Limits"
    LOGGING = "Logging and tracing"
    DEMONSTRATION = "Demonstration and load"
    CONFIGURATION = "Configuration file"
    HELP = "Help"


class GroupedOptions(Options):
    """Options whose help is in groups.

    ``groups`` says which options a class puts into each group: their long names, separated by
    spaces, in the order of the help.  It stands beside ``optParameters``, and is collected from all
    base classes, as that is.  ``essential`` has the options that ``--help`` shows, in any order.
    """

    groups: ClassVar[Mapping[Group, str]] = {Group.HELP: "help help-all version"}

    essential: ClassVar[str] = ""

    @classmethod
    def grouped(cls) -> dict[Group, list[str]]:
        """Return the options of each group.

        The essential ones stand first, then those of a class before those of its bases.
        """
        mappings: list[Mapping[Group, str]] = [
            vars(each)["groups"] for each in cls.__mro__ if "groups" in vars(each)
        ]
        essential = cls.essential.split()
        return {
            group: sorted(
                (name for groups in mappings for name in groups.get(group, "").split()),
                key=lambda name: name not in essential,
            )
            for group in Group
        }

    def opt_help_all(self) -> None:
        """Show all options and exit."""
        text = f"{self.getSynopsis()}\n{self._text(set(self.docs))}"
        show(self.command, text.removesuffix("\n"))

    def getUsage(self, width: int | None = None) -> str:
        """Return the help with the essential options."""
        shown = {*self.essential.split(), *self.grouped()[Group.HELP]}
        count = sum(map(len, self.grouped().values()))
        return f"{self._text(shown, width)}\n{self.command} --help-all shows all {count} options.\n"

    def _text(self, shown: Collection[str], width: int | None = None) -> str:
        """Return the help with the options that are ``shown``, for lines of ``width``."""
        width = width or help_width()
        parts = []
        for group, names in self.grouped().items():
            if chosen := [name for name in names if name in shown]:
                entries = "".join(self._entries(chosen, max(map(len, shown)), width))
                parts.append(f"{group.value}:\n{entries}")
        longdesc: str = getattr(self, "longdesc", "")
        return "\n".join([*parts, textwrap.fill(longdesc, width) + "\n"])

    def _entries(self, names: list[str], longest: int, width: int) -> Iterator[str]:
        letters = {
            name: f"-{letter}," for letter, name in self.synonyms.items() if len(letter) == 1
        }
        indent = " " * (longest + len("  -h, --=  "))
        for name in names:
            takes_value = f"{name}=" in self.longOpt
            option = f"  {letters.get(name, ''):3} --{name}{'=' if takes_value else ''}"
            yield (
                textwrap.fill(
                    self.described(name),
                    width,
                    initial_indent=option.ljust(len(indent)),
                    subsequent_indent=indent,
                    break_on_hyphens=False,
                )
                + "\n"
            )
