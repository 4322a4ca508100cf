"""Every option of every command, as a page: ``python -m`` prints docs/options.md."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from tlsdemo.cli.generated_commands import all_commands
from tlsdemo.cli.main import Command
from tlsdemo.cli.man_page import SECTIONS, Section
from tlsdemo.cli.option_list import CommandEntry, OptionEntry

_HEAD = """\
# Options

Every option of every command. This page is printed by `python -m tlsdemo.cli.options_page` from
the options themselves, and CI checks that it is up to date. `--help` shows the same in a terminal,
or `--help-all` where there are many; `tlsdemo man-page` has it as manual pages.

Options of the server and of the load client can also be in a
[configuration file](running.md#a-configuration-file), by the same names. The options of `twistd`
itself, such as `-n`, `--logfile` and `--pidfile`, stand before `tlsdemo` or `tlsclient`, and
`twistd --help` shows them.
"""

_WHERE_MORE_IS = {
    "tlsdemo run": "load.md",
    "tlsdemo compare": "load.md#comparisons",
    "tlsdemo events": "compare.md#what-fires-when",
    "tlsdemo findings": "compare.md#what-is-surprising",
    "tlsdemo gate": "gate.md",
    "tlsdemo merge": "load.md#more-than-one-machine",
    "tlsdemo scan": "scan.md",
    "tlsdemo sequence-diagram": "how-to/read-a-sequence-diagram.md",
    "tlsdemo man-page": "running.md#manual-pages-and-completion",
    "tlsdemo completion": "running.md#manual-pages-and-completion",
    "twistd tlsdemo": "server.md",
    "twistd tlsclient": "load.md",
}
"""The page that tells what a command is for, with examples."""

_DEFAULT = re.compile(r"(.*?) ?\[default: (.*)\]", re.DOTALL)
_CODE = re.compile(r"(?<![\w-])--?[a-z][\w-]*(?:=[\w.:-]*(?:\w|\.{3}))?|\b[A-Z]+(?:_[A-Z]+)+\b")
_SPECIAL = re.compile(r"[\\`*_<>\[\]{}|]")


def page() -> str:
    """Return the page, in Markdown."""
    commands = [each for each in all_commands(Command) if each.words != "twistd"]
    # What most people look for stands first.
    commands.sort(key=lambda each: not each.words.startswith("twistd"))
    contents = (
        f"- [`{each.words}`](#{each.words.replace(' ', '-')}): {_text(each.summary)}\n"
        for each in commands
    )
    return "\n".join([_HEAD, "".join(contents), *map(_command, commands)])


def _command(command: CommandEntry) -> str:
    return "\n".join(_paragraphs(command))


def _paragraphs(command: CommandEntry) -> Iterator[str]:
    yield f"## {command.words}\n"
    yield f"    {command.words} {command.synopsis}\n"
    more = _WHERE_MORE_IS.get(command.words)
    yield _text(command.description) + (f" [More, with examples]({more}).\n" if more else "\n")
    for heading, entries in command.groups.items():
        if len(command.groups) > 1:
            yield f"### {heading}\n"
        yield "".join(map(_option, entries))
    if command.aliases:
        former = (f"`--{alias}` (`--{name}`)" for alias, name in command.aliases.items())
        yield f"Former names, which are accepted as well: {', '.join(former)}.\n"
    for section in SECTIONS.get(command.words, ()):
        yield _section(section)


def _option(entry: OptionEntry) -> str:
    letter = f"`-{entry.letter}`, " if entry.letter else ""
    value = "=VALUE" if entry.takes_value else ""
    found = _DEFAULT.fullmatch(entry.text)
    text, default = (found[1], f" *Default: {_text(found[2])}.*") if found else (entry.text, "")
    return f"- {letter}`--{entry.name}{value}`: {_text(text)}{default}\n"


def _section(section: Section) -> str:
    heading, entries = section
    told = "".join(f"- `{words}`: {_text(text)}\n" for words, text in entries)
    return f"### {heading.capitalize()}\n\n{told}"


def _text(text: str) -> str:
    """Return a text of the help in Markdown, with the options in it as code."""
    parts, end = [], 0
    for found in _CODE.finditer(text):
        parts += [_escaped(text[end : found.start()]), f"`{found[0]}`"]
        end = found.end()
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


if __name__ == "__main__":
    sys.stdout.write(page())
