"""Runs a shard in this process, and says what became of it as a plain value."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen.appointment import Appointment
from tlsdemo.loadgen.controller import Controller, ProgressCallback, WindowCallback
from tlsdemo.loadgen.inside_worker import InsideWorker
from tlsdemo.loadgen.plan import steps_of
from tlsdemo.loadgen.shard import Shard
from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.shard_result import ShardResult
from tlsdemo.tls import versions


class ShardRun:
    """A shard that begins at ``start_at``, seconds since the epoch, or at once.

    The callbacks are those of `Controller`; ``on_ready``: see `Appointment`.  ``now`` returns the
    seconds since the epoch.  ``status``: the client endpoint string of the server's status service,
    if any.

    Attributes:
        controller: Runs it.
    """

    def __init__(
        self,
        reactor: Any,
        shard: Shard,
        credentials: Credentials,
        status: str | None,
        start_at: float | None,
        on_progress: ProgressCallback,
        on_window: WindowCallback = lambda *_: None,
        on_interval: Callable[[Interval], object] = lambda _: None,
        on_ready: Callable[[], object] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._shard = shard
        self._appointment = Appointment(start_at, shard.window_offsets(), now, on_ready)
        self.controller = Controller(
            reactor,
            shard.name,
            shard.tasks(credentials),
            1,
            steps_of(shard.load.windows),
            status,
            on_progress,
            on_window,
            on_interval,
            self._appointment,
            InsideWorker,
        )

    def lines(self) -> list[str]:
        """Return which shard it was, and how late it began."""
        at, started = self._appointment.start_at, self._appointment.started
        late = "" if at is None or started is None else f", began {(started - at) * 1e3:+,.0f} ms"
        which = f"shard {self._shard.number} of {self._shard.of} of plan {self._shard.plan}"
        return [f"{which}{late}; rates that are due are those of all shards"]

    def result(self, run: RunResult) -> ShardResult:
        """Return the result of the shard; ``run`` is that of the controller."""
        return ShardResult(
            number=self._shard.number,
            of=self._shard.of,
            plan=self._shard.plan,
            host=socket.gethostname(),
            start_at=self._appointment.start_at,
            started=self._appointment.started,
            windows_began=tuple(self._appointment.windows),
            run=run,
            versions=versions(),
        )
