"""Where the status service of a server listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IAddress

from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.net.runtime_folder import (
    make_private,
    remove_stale_socket,
    runtime_folder,
    status_endpoint,
)
from tlsdemo.proxy.listening import CannotStart

_log = PrintableLogger(namespace="tlsdemo")


def listen_for_this_user(serving: Iterable[IAddress], listen: Callable[[str], Any]) -> bool:
    """Listen on the usual UNIX sockets of a server on the TCP ports ``serving``, if there are any.

    Without them it serves all the same.  ``listen`` listens on an endpoint string, and raises
    CannotStart.  Returns whether it listens on any.
    """
    folder, is_listening = runtime_folder(), False
    ports = dict.fromkeys(getattr(each, "port", None) for each in serving)
    for where in (status_endpoint(port, folder) for port in ports if port is not None):
        try:
            make_private(folder)
            remove_stale_socket(Path(where.removeprefix("unix:")))
            # The lock of Twisted names a process by its number, which another may have now.
            listen(f"{where}:mode=600:lockfile=0")
            is_listening = True
        except (OSError, CannotStart) as problem:
            _log.warn(
                "there is no status service at {where}, so load clients will not learn what "
                "arrived: {problem}",
                where=where,
                problem=str(problem),
            )
    return is_listening
