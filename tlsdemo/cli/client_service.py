"""The load client as a service of twistd: as a daemon, and ended by Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.cli.daemon_start import DaemonStart
from tlsdemo.loadgen.load_service import Load, LoadService
from tlsdemo.reporting.terminal import write_line


class ClientService(LoadService):
    """Runs a load for ``options``, those of ``twistd tlsclient``.

    The first Ctrl-C ends it in order, which takes as long as the server needs; the second at once.
    """

    def __init__(
        self,
        reactor: Any,
        load: Load,
        finished: Callable[[Any | None], object],
        options: Any,
    ) -> None:
        super().__init__(reactor, load, finished)
        self._options = options
        self._start: DaemonStart | None = None

    def setServiceParent(self, parent: Any) -> None:
        """Join twistd's application, while standard error is still the terminal."""
        if self._options["background"] and self._options.parent is not None:
            self._start = DaemonStart(self._options.command, self._options.parent)
        super().setServiceParent(parent)

    def startService(self) -> None:
        """Start, and say where a daemon's results will be."""
        super().startService()
        if self._start is not None:
            self._start.say(self._options.summary())

    def stopService(self) -> Deferred[None] | None:
        """End the load."""
        ending = super().stopService()
        if ending is not None:
            # A signal handler interrupts other code, so act in the reactor's next turn.
            abort = lambda *_: self._reactor.callFromThread(self.abort)  # noqa: E731
            signal.signal(signal.SIGINT, abort)
            if not self._options["quiet"]:
                write_line(
                    sys.__stderr__,
                    "tlsclient: closing the connections; Ctrl-C again aborts them",
                )
        return ending
