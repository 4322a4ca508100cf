"""Whether a file can be written to, before the work whose results it is for."""

from __future__ import annotations

import os
import stat
from errno import EACCES, EISDIR
from pathlib import Path


def why_not_writable(path: Path) -> str | None:
    """Return why the file at ``path`` cannot be written to, in the system's words, or None.

    A file that exists keeps its contents, and one that does not is not left behind.  That a disk
    is full is found out only for a new file.
    """
    # Not a symbolic link, because O_EXCL does not follow those.
    real = os.path.realpath(path)
    try:
        mode = os.stat(real).st_mode
        if stat.S_ISREG(mode):
            os.close(os.open(real, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        elif stat.S_ISDIR(mode):
            return os.strerror(EISDIR)
        elif not os.access(real, os.W_OK):
            # Opening a FIFO would block, and closing it would be the end of its reader's input.
            return os.strerror(EACCES)
    except FileNotFoundError:
        return _why_not_created(real)
    except OSError as problem:
        return problem.strerror
    return None


def _why_not_created(path: str) -> str | None:
    try:
        new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        return problem.strerror
    try:
        os.write(new, b"\n")
    except OSError as problem:
        return problem.strerror
    finally:
        os.close(new)
        os.unlink(path)
    return None
