"""SIGHUP: the end of the terminal of a program in its foreground, and a request to all others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from tlsdemo.net.printable_logger import PrintableLogger

_log = PrintableLogger(namespace="tlsdemo")


def has_terminal() -> bool:
    """Whether this process has a controlling terminal (tty(4))."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    os.close(terminal)
    return True


class Hangup:
    """Handles SIGHUP from `install` until `restore`.

    ``foreground``: whether the process has stayed in the foreground.  If it has a terminal then,
    the first SIGHUP stops the reactor, as closing the terminal must end what runs in it.  Otherwise
    each calls ``request``; without one, the handler stays what it is.  After nohup(1), which has it
    ignore the signal, closing the terminal does not end it.
    """

    def __init__(
        self, reactor: Any, foreground: bool, request: Callable[[], object] | None = None
    ) -> None:
        self._reactor = reactor
        self._foreground = foreground
        self._request = request
        self._previous: Any = None
        self._stopped = False

    def install(self) -> None:
        """Handle the signal from now on."""
        self._previous = signal.getsignal(signal.SIGHUP)
        handle = self._request
        if self._foreground and self._previous is not signal.SIG_IGN and has_terminal():
            handle = self._stop
        if handle is not None:
            # A signal handler interrupts other code, so act in the reactor's next turn.
            wanted = handle
            signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(wanted))

    def restore(self) -> None:
        """Restore the handler that there was before, unless a hangup is what ends the process."""
        if not self._stopped:
            signal.signal(signal.SIGHUP, self._previous)

    def _stop(self) -> None:
        # A shell and the system may send one each.
        if not self._stopped:
            self._stopped = True
            _log.warn("the terminal was closed (SIGHUP): stopping")
            self._reactor.stop()
