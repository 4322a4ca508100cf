"""Standard output, when it cannot be written: one line on standard error, and an exit status."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import NoReturn

from tlsdemo.reporting.terminal import drop_output, write_line

SIGPIPE_STATUS = 141
"""The exit status that shells report for a command that SIGPIPE has ended."""

NOT_WRITTEN_STATUS = 2
"""The exit status if the output cannot be written, for example because a disk is full."""

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""The errors of write(2) that say so."""


def guarded(command: str, run: Callable[[], int]) -> int:
    """Return what ``run`` returns, or another exit status if what it prints cannot be written.

    It is then 2, and one line on standard error begins with ``command``.  If the reader has quit,
    as head(1) does, nothing is said.
    """
    if sys.stdout is None:
        return _not_written(command, "standard output", "it is closed")
    try:
        try:
            return run()
        finally:
            # Also after --help, which raises SystemExit.
            sys.stdout.flush()
    except BrokenPipeError:
        drop_output(sys.stdout)
        return SIGPIPE_STATUS
    except OSError as problem:
        if problem.errno not in _UNWRITABLE:
            raise
        # Errors of open(2) and the like name the file.
        where = "standard output" if problem.filename is None else repr(problem.filename)
        drop_output(sys.stdout)
        return _not_written(command, where, problem.strerror or str(problem))


def show(command: str, text: str) -> NoReturn:
    """Print ``text``, such as a help, and exit."""

    def run() -> int:
        print(text)
        return 0

    raise SystemExit(guarded(command, run))


def _not_written(command: str, where: str, why: str) -> int:
    write_line(sys.stderr, f"{command}: cannot write to {where}: {why}")
    return NOT_WRITTEN_STATUS
