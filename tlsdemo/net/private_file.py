"""Opening a file for what nobody but this user may read, such as TLS secrets."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_OF_SYSTEM = tuple(map(Path, ("/dev", "/dev/fd", "/proc/self/fd")))
"""Folders in which only the system makes names: devices, and what this process has open."""


class CannotOpen(Exception):
    """A file cannot be opened; the text is one line with its name and the reason."""


def open_private(name: str, path: Path) -> tuple[int, int]:
    """Open ``path`` to append to it; returns the descriptor, which does not block, and its size.

    A file that does not exist is created with mode 0600.  What exists, a FIFO as well, must belong
    to this user and be open to nobody else.  A symbolic link is not followed.  Neither is demanded
    in the folders of the system: /dev/stderr is a link to wherever the user has redirected it, and
    /dev/fd/63 a pipe that the shell has made.  What has no size counts as empty.

    Args:
        name: What to call the file in an error.
        path: The file, absolute.

    Raises:
        CannotOpen: If that is not so, or the file cannot be opened.
    """
    # Without O_NONBLOCK, opening a FIFO that has no reader would block (fifo(7)).
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    of_system = path.parent in _OF_SYSTEM
    try:
        file = os.open(path, flags if of_system else flags | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise CannotOpen(f"{name} cannot be opened: {why}") from None
    status = os.fstat(file)
    if of_system:
        return file, 0
    problem = _problem(status)
    if problem:
        os.close(file)
        raise CannotOpen(f"{name} {problem}")
    return file, status.st_size if stat.S_ISREG(status.st_mode) else 0


def _problem(status: os.stat_result) -> str:
    if status.st_uid != os.geteuid():
        return "belongs to another user; name another file"
    mode = stat.S_IMODE(status.st_mode)
    # A terminal can be open to others (write(1)), who cannot read what is written to it.
    if mode & 0o077 and not stat.S_ISCHR(status.st_mode):
        return (
            f"is open to others than its owner (mode {mode:04o}); "
            "chmod 600 it, or name another file"
        )
    return ""
