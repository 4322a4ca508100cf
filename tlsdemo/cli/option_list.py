"""The options of commands as data, for what is made from them: manual pages and completion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.python import usage

from tlsdemo.cli.option_groups import GroupedOptions
from tlsdemo.cli.options import Options


@dataclass(frozen=True)
class OptionEntry:
    """An option: its long name, its letter or "" (no hyphens), and what the help says of it.

    ``values``: the names that it takes, if these are known.
    """

    name: str
    letter: str
    takes_value: bool
    text: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class CommandEntry:
    """A command by its words, such as ``tlsdemo run``, with its options by headings.

    ``synopsis`` is what follows the words.  ``aliases`` maps former names of options, which are
    still accepted, to their current names.
    """

    words: str
    summary: str
    synopsis: str
    description: str
    groups: Mapping[str, tuple[OptionEntry, ...]]
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> Iterator[OptionEntry]:
        """All options."""
        for entries in self.groups.values():
            yield from entries


def command_entry(words: str, make: type[usage.Options], summary: str) -> CommandEntry:
    """Return the command with the options of this class."""
    options = make()
    if isinstance(options, GroupedOptions):
        groups = {group.value: names for group, names in options.grouped().items() if names}
    else:
        aliases = getattr(options, "aliases", ())
        names = [name.rstrip("=") for name in options.longOpt]
        groups = {"Options": sorted(name for name in names if name not in aliases)}
    synopsis = str(getattr(options, "synopsis", "[options]")).removeprefix(f"Usage: {words} ")
    description = str(getattr(options, "longdesc", ""))
    return CommandEntry(
        words,
        summary,
        synopsis.removeprefix("Usage: "),
        " ".join(description.split()),
        {
            heading: tuple(_entry(options, name) for name in names)
            for heading, names in groups.items()
        },
        options.aliases if isinstance(options, Options) else {},
    )


def _entry(options: usage.Options, name: str) -> OptionEntry:
    letters = [key for key, value in options.synonyms.items() if value == name and len(key) == 1]
    known: Mapping[str, Any] = options.values_of() if isinstance(options, Options) else {}
    key = name if name in options.docs else name.replace("-", "_")
    doc = options.docs.get(key) or ""
    return OptionEntry(
        name,
        letters[0] if letters else "",
        f"{name}=" in options.longOpt,
        options.described(name) if isinstance(options, Options) else " ".join(doc.split()),
        tuple(known.get(name, ())),
    )
