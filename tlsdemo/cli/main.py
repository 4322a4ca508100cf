"""The ``tlsdemo`` command: what is not a service."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from twisted.python import usage

import tlsdemo
from tlsdemo.cli.events_command import EventsOptions
from tlsdemo.cli.findings_command import FindingsOptions
from tlsdemo.cli.options import Options
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.cli.sequence_diagram_command import WaterfallOptions
from tlsdemo.cli.versions_command import VersionsOptions

_UNREAD = 141
"""The status of a command whose output nobody reads any more, as of one that SIGPIPE has ended."""


class Command(Options):
    """The ``tlsdemo`` command itself."""

    command = "tlsdemo"

    synopsis = "Usage: tlsdemo <command> [options]"

    longdesc = (
        "A laboratory for securing plain TCP connections in Twisted. The services are twistd's: "
        "twistd tlsdemo --help, twistd tlsclient --help."
    )

    subCommands: ClassVar[list[list[Any]]] = [
        ["run", None, RunOptions, "Put the same load on several modes and compare them."],
        ["events", None, EventsOptions, "Show what fires when, on both ends, whatever happens."],
        ["findings", None, FindingsOptions, "What stock Twisted does that surprises, reproduced."],
        ["waterfall", None, WaterfallOptions, "Draw a connection that a server has traced."],
        ["versions", None, VersionsOptions, "What is used here, and what --against has built."],
    ]

    def opt_version(self) -> None:
        """Show the version and end."""
        print(tlsdemo.__version__)
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Ask for a command, if there is none."""
        if not self.subCommand:
            raise usage.UsageError(
                f"which command? {', '.join(each[0] for each in self.subCommands)}"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status."""
    command = Command()
    try:
        command.parseOptions(sys.argv[1:] if arguments is None else arguments)
        status: int = command.subOptions.run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has read enough, as head(1) does; and there is nobody to tell at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNREAD
    return status
