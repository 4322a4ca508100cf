"""The ``tlsdemo`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.compare_command import CompareOptions
from tlsdemo.cli.events_command import EventsOptions
from tlsdemo.cli.findings_command import FindingsOptions
from tlsdemo.cli.gate_command import GateOptions
from tlsdemo.cli.generated_commands import CompletionOptions, ManPageOptions
from tlsdemo.cli.merge_command import MergeOptions
from tlsdemo.cli.options import Options
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.cli.scan_command import ScanOptions
from tlsdemo.cli.sequence_diagram_command import SequenceDiagramOptions
from tlsdemo.cli.standard_output import guarded
from tlsdemo.cli.versions_command import VersionsOptions


class Command(Options):
    """The options of the command itself, and its subcommands."""

    command = "tlsdemo"

    synopsis = "Usage: tlsdemo <command> [options]"

    longdesc = (
        "A laboratory for upgrading plain TCP connections to TLS in Twisted. The server and the "
        "load client are run by twistd: see twistd tlsdemo --help and twistd tlsclient --help."
    )

    subCommands: ClassVar[list[list[Any]]] = [
        ["run", None, RunOptions, "Put the same load on several modes and compare them."],
        ["compare", None, CompareOptions, "Compare the results of loads, with their noise."],
        ["events", None, EventsOptions, "Show what fires when on both ends, in every scenario."],
        ["findings", None, FindingsOptions, "Reproduce surprising behaviour of stock Twisted."],
        ["gate", None, GateOptions, "Say whether other versions change what code can notice."],
        ["merge", None, MergeOptions, "Add up the results of the shards of a load."],
        ["scan", None, ScanOptions, "Find what is known to go wrong with TLS in source code."],
        ["sequence-diagram", None, SequenceDiagramOptions, "Draw a connection that was traced."],
        ["versions", None, VersionsOptions, "Show the installed versions and other environments."],
        ["man-page", None, ManPageOptions, "Print a manual page."],
        ["completion", None, CompletionOptions, "Print a script for completion in a shell."],
        ["waterfall", None, SequenceDiagramOptions, "An alias of sequence-diagram."],
    ]

    def postOptions(self) -> None:
        """Refuse a command line without a command."""
        if not self.subCommand:
            names = ", ".join(each[0] for each in self.subCommands if each[0] != "waterfall")
            raise usage.UsageError(f"which command? {names}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit status."""
    command = Command()

    def run() -> int:
        command.parseOptions(sys.argv[1:] if arguments is None else arguments)
        status: int = command.subOptions.run()
        return status

    return guarded("tlsdemo", run)


if __name__ == "__main__":
    sys.exit(main())
