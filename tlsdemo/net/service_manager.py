"""What a server tells systemd of itself: sd_notify(3), the part of it that a server needs.

systemd waits for it: a unit with Type=notify has started once its server is ready, and what depends
on the server is not started before.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, MutableMapping

from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.printable import printable

VARIABLE = "NOTIFY_SOCKET"
"""The environment variable with the address of the socket to write to."""

_log = PrintableLogger(namespace="tlsdemo")


class ServiceManager:
    """Writes to the datagram UNIX socket at ``address``; without one, nothing happens.

    The address is a path, or a name that begins with ``@`` (an abstract socket, unix(7)).  If it
    cannot be written to, that is logged once: a server does not end for it.
    """

    def __init__(
        self, address: str | None = None, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._address = address
        self._clock = clock

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> ServiceManager:
        """Take the address out of ``environ``, so that child processes do not have it."""
        return cls(environ.pop(VARIABLE, None) or None)

    def ready(self, status: str) -> None:
        """Say that the server serves, after the start or a reload, and what it does."""
        self._send("READY=1", _status(status))

    def reloading(self, status: str) -> None:
        """Say that it reloads; `ready` has to follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={self._clock() // 1000}", _status(status))

    def stopping(self, status: str) -> None:
        """Say that it ends its connections, and then itself."""
        self._send("STOPPING=1", _status(status))

    def _send(self, *assignments: str) -> None:
        if self._address is None:
            return
        name = self._address
        message = "\n".join(assignments).encode("utf-8", "backslashreplace")
        try:
            if name[0] not in "/@":
                raise OSError(0, "it is neither a path nor the name of an abstract socket")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                # systemd may be busy; a server does not wait for it.
                sender.setblocking(False)
                sender.sendto(message, name.replace("@", "\0", 1) if name[0] == "@" else name)
        except OSError as problem:
            self._address = None
            _log.warn(
                "{variable} is {address!r}, and it cannot be told what the server does: {problem}",
                variable=VARIABLE,
                address=name,
                problem=problem.strerror or str(problem),
            )


def _status(text: str) -> str:
    return f"STATUS={printable(text)}"
