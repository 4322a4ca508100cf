"""``tlsdemo man-page`` and ``tlsdemo completion``, which are made from all options."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.completion import SHELLS, completion
from tlsdemo.cli.man_page import SECTIONS, man_page
from tlsdemo.cli.option_list import CommandEntry, command_entry
from tlsdemo.cli.options import Options
from tlsdemo.cli.suggestions import one_of

_PAGES = {words.replace(" ", "-"): words for words in SECTIONS}


def all_commands(main: type[usage.Options]) -> Iterator[CommandEntry]:
    """Yield all commands: tlsdemo and its own, twistd and those that tlsdemo adds to it."""
    from twisted.scripts.twistd import (  # type: ignore[attr-defined, unused-ignore]
        ServerOptions as Twistd,
    )

    from tlsdemo import tap, tap_client

    yield command_entry("tlsdemo", main, "Secure plain TCP connections, and see how.")
    subcommands: Any = getattr(main, "subCommands", ())
    for name, _, make, summary in subcommands:
        # An alias of another one.
        if not summary.startswith("An alias"):
            yield command_entry(f"tlsdemo {name}", make, summary)
    yield command_entry("twistd", Twistd, "Run services of Twisted.")
    for options, summary in (
        (tap.Options, "A server that secures plain TCP connections."),
        (tap_client.Options, "Many TLS clients at once, to put a server under load."),
    ):
        yield command_entry(options.command, options, summary)


class _GeneratedOptions(Options):
    """A command with one name as its argument, of ``names``."""

    names: ClassVar[Collection[str]]

    what: ClassVar[str]

    def parseArgs(self, *arguments: str) -> None:
        """Check the name."""
        known = ", ".join(self.names)
        if len(arguments) != 1:
            raise usage.UsageError(f"name one {self.what}: {known}")
        try:
            self["name"] = one_of(self.names)(arguments[0])
        except ValueError as problem:
            raise usage.UsageError(f"the {self.what} is {arguments[0]!r}, {problem}") from None

    def commands(self) -> list[CommandEntry]:
        """Return all commands."""
        main: Any = self.parent
        return list(all_commands(type(main)))


class ManPageOptions(_GeneratedOptions):
    """The options of ``tlsdemo man-page``."""

    command = "tlsdemo man-page"

    synopsis = "Usage: tlsdemo man-page [options] NAME"

    longdesc = (
        f"Prints a manual page, of section 1: {', '.join(_PAGES)}. To read it: tlsdemo man-page "
        "NAME >NAME.1, then man ./NAME.1."
    )

    names: ClassVar[Collection[str]] = _PAGES

    what = "manual page"

    def run(self) -> int:
        """Print the page, and return the exit status."""
        commands = {each.words: each for each in self.commands()}
        words = _PAGES[self["name"]]
        below = [each for name, each in commands.items() if name.startswith(f"{words} ")]
        print(man_page(commands[words], below), end="")
        return 0


class CompletionOptions(_GeneratedOptions):
    """The options of ``tlsdemo completion``."""

    command = "tlsdemo completion"

    synopsis = "Usage: tlsdemo completion [options] SHELL"

    longdesc = (
        f"Prints a script that has a shell complete command lines: {', '.join(SHELLS)}. For bash: "
        'eval "$(tlsdemo completion bash)", for example in ~/.bashrc. For zsh, it belongs into a '
        "folder of $fpath as _tlsdemo; for fish, into ~/.config/fish/completions as tlsdemo.fish."
    )

    names: ClassVar[Collection[str]] = SHELLS

    what = "shell"

    def run(self) -> int:
        """Print the script, and return the exit status."""
        print(completion(self["name"], self.commands()), end="")
        return 0
