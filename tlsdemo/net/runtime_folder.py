"""The folders for the sockets of this user's processes, which nobody else can enter.

The one in which they find each other is the same for every process, whatever the environment.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import tempfile
from pathlib import Path

STATUS = "usual"
"""The default of ``--status``: a socket in this folder, see :func:`status_endpoint`."""


_BASE = Path("/tmp")

_LONGEST = 50
"""Bytes of a path that leaves room for a socket: the path of one has at most 103 (Linux: 107)."""


def runtime_folder(base: Path = _BASE) -> Path:
    """Return the folder of this user; it need not exist."""
    return base / f"tlsdemo-{os.geteuid()}"


def status_endpoint(port: int, folder: Path | None = None) -> str:
    """Return the endpoint string of the status service of this user's server on a TCP ``port``."""
    return f"unix:{(folder or runtime_folder()) / f'status-{port}'}"


def check_usual(where: str) -> None:
    """Check the folder of an endpoint string of :func:`status_endpoint`; others are not checked.

    Another user might have made the folder, and listen there.

    Raises:
        OSError: If the folder does not exist, or is open to others.
    """
    folder = runtime_folder()
    if where.startswith(f"unix:{folder}/"):
        check_private(folder)


def remove_stale_socket(path: Path) -> None:
    """Remove the UNIX socket of a process that has ended without removing it.

    Raises:
        OSError: If a process listens there, it is something else, or it cannot be removed.
    """
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "it is not a socket", str(path))
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        # If many wait to be accepted, that is an error too, but nothing to wait for.
        probe.setblocking(False)
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, "another server has it", str(path))
    path.unlink()


def make_private(folder: Path) -> None:
    """Make a folder that only this user can enter; one that exists must be so.

    Raises:
        OSError: If it cannot be made, is no folder, belongs to another user or is open to others.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    check_private(folder)


def make_short(prefix: str = "tlsdemo-") -> Path:
    """Make a new folder that only this user can enter, whose path is short enough for sockets.

    It is where temporary files are, or else in /tmp; the caller has to remove it.

    Raises:
        OSError: If it cannot be made.
    """
    usual = os.path.abspath(tempfile.gettempdir())
    short = len(os.fsencode(usual)) <= _LONGEST
    return Path(tempfile.mkdtemp(prefix=prefix, dir=usual if short else _BASE))


def check_private(folder: Path) -> None:
    """Check that a folder belongs to this user, and is open to nobody else.

    Raises:
        OSError: If it does not exist, or is not so.
    """
    found = folder.lstat()
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not mine or stat.S_IMODE(found.st_mode) & 0o077:
        problem = "it is not a folder that only this user can enter"
        raise PermissionError(errno.EPERM, problem, str(folder))
