"""The options ``--config`` and ``--print-config``, which a command has by deriving from here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from twisted.python import usage
from twisted.python.reflect import accumulateClassList

from tlsdemo.cli.config_file import BadConfig, ConfigFile, Kind, as_given, shown, toml_line
from tlsdemo.cli.option_groups import Group, GroupedOptions
from tlsdemo.cli.options import fail
from tlsdemo.cli.standard_output import show
from tlsdemo.cli.suggestions import did_you_mean

_OPTION = re.compile(r"--([a-z][a-z-]*)")
_DEFAULT = re.compile(r" \[default: (.*)\]")

Given = list[tuple[str, str]]


class ConfigOptions(GroupedOptions):
    """Options that can also be read from a file.

    ``config``: the file, once it has been read.  ``shorthands`` maps flags to the options that they
    set: one of them on the command line replaces the other of the file.
    """

    optParameters: ClassVar[list[list[Any]]] = [
        ["config", None, None, "Read options from this file as well: TOML, with the long names of "
         "the options as keys. Options of the command line replace those of the file."],
    ]  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["print-config", None, "Show the options as a file for --config, with the defaults as "
         "comments, and exit. What is in other files, such as keys and tokens, is not shown."],
    ]  # fmt: skip

    groups: ClassVar[Mapping[Group, str]] = {Group.CONFIGURATION: "config print-config"}

    shorthands: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.config: ConfigFile | None = None
        self._from_config: frozenset[str] = frozenset()

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse the options; with ``--print-config``, show them and exit."""
        super().parseOptions(options)
        if self["print-config"]:
            try:
                text = self.as_toml()
            except BadConfig as problem:
                fail(self.command, problem)
            show(self.command, text)

    def kinds(self) -> dict[str, Kind]:
        """Return what can be in the file: all options but those that only show something."""
        parsers = {
            name: (parse[0] if parse else None)
            for name, _, _, _, *parse in self._parameters()
        }  # fmt: skip
        flags = {name for name, *_ in _accumulated(type(self), "optFlags")}
        kinds = {}
        for option in self.longOpt:
            name = option.rstrip("=")
            if name in parsers:
                kinds[name] = Kind.of_parser(parsers[name])
            elif name in flags:
                kinds[name] = Kind.FLAG
            elif option.endswith("=") and name not in self.aliases:
                kinds[name] = Kind.TEXTS
        del kinds["config"], kinds["print-config"]
        return kinds

    def as_toml(self) -> str:
        """Return a file that has the same effect as the options given, and names the defaults."""
        kinds, given = self.kinds(), dict[str, list[str]]()
        for name, value in self.given():
            given.setdefault(name, []).append(value)
        lines = [f"# The options of {self.command}; for --config. Comments tell the defaults."]
        for group, names in self.grouped().items():
            in_file = [name for name in names if name in kinds]
            lines += ["", f"# {group.value}"] if in_file else []
            for name in in_file:
                if name in given:
                    lines.append(toml_line(name, kinds[name], given[name]))
                elif kinds[name] is Kind.FLAG:
                    lines.append(f"# {name} = false")
                else:
                    lines.append(self._default(name, kinds[name]))
        return "\n".join(lines)

    def _default(self, name: str, kind: Kind) -> str:
        default = self.defaults.get(name)
        if default not in (None, []):
            return f"# {toml_line(name, kind, [str(default)])}"
        told = _DEFAULT.search(self.docs[name])
        return f"# {name}: {told[1] if told else 'none'}"

    @classmethod
    def _parameters(cls) -> Iterator[list[Any]]:
        yield from _accumulated(cls, "optParameters")

    def _completed(self, given: Given) -> Given:
        """Return the options given, after those of the file that they do not replace."""
        names = [self.synonyms.get(name.lstrip("-"), name.lstrip("-")) for name, _ in given]
        if "config" not in names:
            return given
        last = len(names) - 1 - names[::-1].index("config")
        file = given[last][1]
        replaced = {*names, *self._shorthands_of(names)}
        try:
            self.config = ConfigFile.read(file)
        except BadConfig as problem:
            raise usage.UsageError(f"--config is {file!r}: {problem}") from None
        try:
            read = list(self._read(self.config))
        except BadConfig as problem:
            raise usage.UsageError(f"{file}: {problem}") from None
        used = [(f"--{name}", value) for name, value in read if name not in replaced]
        self._from_config = frozenset(name.removeprefix("--") for name, _ in used)
        return [*used, *given]

    def _read(self, config: ConfigFile) -> Iterator[tuple[str, str]]:
        settings, kinds = config.settings(), self.kinds()
        for name, value in settings.items():
            if name not in kinds:
                raise BadConfig(
                    f"{name} is {shown(value)}, and {self.command} has no option of that name"
                    f"{self._known(name)}"
                )
        yield from as_given(settings, kinds)

    def _known(self, name: str) -> str:
        if name in self.aliases:
            return f"; it is called {self.aliases[name]} now"
        return did_you_mean(name, self.kinds())

    def _shorthands_of(self, names: Sequence[str]) -> set[str]:
        pairs = self.shorthands.items()
        return {option for flag, option in pairs if flag in names} | {
            flag for flag, option in pairs if option in names
        }

    def located(self, problem: str) -> str:
        """Return a problem with the name of the file if an option that it names is from there."""
        named = dict.fromkeys(_OPTION.findall(problem))
        found = [name for name in named if name in self._from_config]
        if self.config is None or not found:
            return problem
        if problem.startswith(f"--{found[0]} "):
            problem = f"{self.config.name}: {problem.removeprefix('--')}"
            del found[0]
        return f"{problem} ({self.config.name} has {', '.join(found)})" if found else problem


def _accumulated(cls: type, name: str) -> list[list[Any]]:
    found: list[list[Any]] = []
    accumulateClassList(cls, name, found)
    return found
