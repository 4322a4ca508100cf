"""The ``tlsdemo`` command."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.events_command import EventsOptions
from tlsdemo.cli.findings_command import FindingsOptions
from tlsdemo.cli.options import Options
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.cli.sequence_diagram_command import SequenceDiagramOptions
from tlsdemo.cli.versions_command import VersionsOptions
from tlsdemo.reporting.terminal import write_line

_SIGPIPE_STATUS = 141
"""The exit status that shells report for a command that SIGPIPE has ended."""

_NOT_WRITTEN_STATUS = 2
"""The exit status if the output cannot be written, for example because a disk is full."""

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""The errors of write(2) that say so."""


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
        ["events", None, EventsOptions, "Show what fires when on both ends, in every scenario."],
        ["findings", None, FindingsOptions, "Reproduce surprising behaviour of stock Twisted."],
        ["sequence-diagram", None, SequenceDiagramOptions, "Draw a connection that was traced."],
        ["versions", None, VersionsOptions, "Show the installed versions and other environments."],
        ["waterfall", None, SequenceDiagramOptions, "An alias of sequence-diagram."],
    ]

    def postOptions(self) -> None:
        """Refuse a command line without a command."""
        if not self.subCommand:
            names = ", ".join(each[0] for each in self.subCommands if each[0] != "waterfall")
            raise usage.UsageError(f"which command? {names}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit status."""
    if sys.__stdout__ is None:
        return _not_written("it is closed")
    command = Command()
    try:
        try:
            command.parseOptions(sys.argv[1:] if arguments is None else arguments)
            status: int = command.subOptions.run()
        finally:
            # Also after --help, which raises SystemExit.
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has quit, as head(1) does.
        _drop_output()
        return _SIGPIPE_STATUS
    except OSError as problem:
        if problem.errno not in _UNWRITABLE:
            raise
        _drop_output()
        return _not_written(problem.strerror or str(problem))
    return status


def _not_written(why: str) -> int:
    """Say why standard output is incomplete, and return the exit status for it."""
    if sys.stderr is not None:
        write_line(sys.stderr, f"tlsdemo: cannot write to standard output: {why}")
    return _NOT_WRITTEN_STATUS


def _drop_output() -> None:
    """Write nothing more to standard output, not even what is flushed at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
