"""Manual pages in man(7), made from the options."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone

from tlsdemo import __version__
from tlsdemo.cli.option_list import CommandEntry, OptionEntry

Section = tuple[str, Sequence[tuple[str, str]]]
"""A heading, and what is told of which words."""

_EXIT_STATUS: Section = (
    "EXIT STATUS",
    (
        ("0", "All went well, and whatever was demanded holds."),
        ("1", "It did not, or the command could not begin."),
        ("2", "The options or a file that they name cannot be used; a line says why."),
    ),
)

_ENVIRONMENT: Section = (
    "ENVIRONMENT",
    (
        ("TLSDEMO_PASSPHRASE", "The passphrase of the --key, without --passphrase-file."),
        ("XDG_DATA_HOME", "The folder in which an installed tlsdemo keeps the demo certificates."),
    ),
)

SECTIONS: Mapping[str, Sequence[Section]] = {
    "tlsdemo": (_EXIT_STATUS, _ENVIRONMENT),
    "twistd tlsdemo": (
        (
            "SIGNALS",
            (
                ("SIGHUP", "Load certificates, keys and CAs again, for new connections. Nothing "
                 "else is read again. In the foreground of a terminal: stop."),
                ("SIGTERM, SIGINT", "Stop: accept no more, and give open connections "
                 "--drain-timeout to end."),
                ("SIGUSR1", "Begin a new log file."),
            ),
        ),
        (
            "FILES",
            (
                ("/tmp/tlsdemo-UID/status-PORT", "The socket of the status service, which only "
                 "this user can use, unless --status says otherwise."),
            ),
        ),
        _EXIT_STATUS,
        (
            "ENVIRONMENT",
            (
                *_ENVIRONMENT[1],
                ("LISTEN_FDS", "Sockets that systemd passes, for --listen=systemd:..."),
                ("NOTIFY_SOCKET", "Where systemd is told that the server is ready, reloads and "
                 "stops; see sd_notify(3)."),
            ),
        ),
    ),
    "twistd tlsclient": (_EXIT_STATUS, _ENVIRONMENT),
}  # fmt: skip
"""What the options do not tell, by command."""

_SEE_ALSO = ("tlsdemo", "twistd-tlsdemo", "twistd-tlsclient")
_SPECIAL = {"\\": r"\(rs", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
_WORD_WITH_HYPHEN = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def man_page(command: CommandEntry, subcommands: Sequence[CommandEntry] = ()) -> str:
    """Return the manual page of a command with its subcommands, in section 1."""
    return "\n".join(_lines(command, subcommands)) + "\n"


def _lines(command: CommandEntry, subcommands: Sequence[CommandEntry]) -> Iterator[str]:
    name = command.words.replace(" ", "-")
    yield f'.TH {_escaped(name.upper())} 1 {_date()} "tlsdemo {__version__}" "User Commands"'
    yield from (".SH NAME", f"{_escaped(name)} \\- {_text(command.summary.rstrip('.'))}")
    yield ".SH SYNOPSIS"
    for number, each in enumerate((*subcommands, command) if subcommands else (command,)):
        yield from [".br"] if number else []
        yield f".B {_escaped(each.words)}"
        yield _text(each.synopsis)
    yield from (".SH DESCRIPTION", _text(command.description))
    for each in subcommands:
        yield from (".TP", f".B {_escaped(each.words)}", _text(each.summary))
    yield ".SH OPTIONS"
    yield from _groups(command)
    for each in subcommands:
        yield from (f".SH {_escaped(each.words.upper())}", _text(each.description))
        yield from _groups(each)
    for heading, entries in SECTIONS[command.words]:
        yield f".SH {heading}"
        for words, told in entries:
            yield from (".TP", f".B {_escaped(words)}", _text(told))
    yield ".SH SEE ALSO"
    others = [other for other in _SEE_ALSO if other != name]
    yield from (f".BR {_escaped(other)} (1)," for other in others)
    yield ".BR twistd (1)"


def _groups(command: CommandEntry) -> Iterator[str]:
    for heading, entries in command.groups.items():
        if len(command.groups) > 1:
            yield f'.SS "{_text(heading)}"'
        yield from _options(entries)


def _options(entries: Iterable[OptionEntry]) -> Iterator[str]:
    for entry in entries:
        letter = f"\\fB\\-{entry.letter}\\fR, " if entry.letter else ""
        value = "=\\fIvalue\\fR" if entry.takes_value else ""
        yield from (".TP", f"{letter}\\fB\\-\\-{_escaped(entry.name)}\\fR{value}")
        yield _text(entry.text)


def _text(text: str) -> str:
    """Return a paragraph, with the options in it in bold."""
    parts, end = [], 0
    for found in _WORD_WITH_HYPHEN.finditer(text):
        parts += [_escaped(text[end : found.start()]), f"\\fB{_escaped(found[0])}\\fR"]
        end = found.end()
    line = "".join([*parts, _escaped(text[end:])])
    # Otherwise it would be a request.
    return f"\\&{line}" if line[:1] in (".", "'") else line


def _escaped(text: str) -> str:
    return "".join(
        _SPECIAL.get(each) or (each if each.isascii() else f"\\[u{ord(each):04X}]") for each in text
    )


def _date() -> str:
    """Return the day; the same for the same sources, if the builder says so (SOURCE_DATE_EPOCH)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.now(timezone.utc)
    day = datetime.fromtimestamp(int(epoch), timezone.utc) if epoch.isdecimal() else now
    return f"{day:%Y-%m-%d}"
