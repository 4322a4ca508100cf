"""The feed of the live page: computed once, however many pages are open."""

from __future__ import annotations

import json
import time
import typing
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from tlsdemo.metrics.figures import DURATIONS
from tlsdemo.web.connection_list import ConnectionList
from tlsdemo.web.live_series import COLUMNS, LiveSeries, failure_texts

INTERVAL = 0.5
"""Seconds between two updates."""

LARGEST_PART = 0.01
"""The part of the time that updates may take; they come less often if they take longer."""

LONGEST_INTERVAL = 5.0
"""Seconds between two updates at most, however long they take."""


class Reader(typing.Protocol):
    """One page that is open."""

    def send(self, name: str, data: str) -> None:
        """Send an event with its data, or nothing if the page has fallen behind."""


class LiveFeed:
    """What the live page shows, for all who read it.

    Args:
        title: What is shown, in a few words.
        lead: A sentence about it.
        clock: Schedules the updates.
        update: Adds new readings to the series; called before each update.
        connections: The sampled connections; ``None`` if there are none to show.
        cpu: Returns the CPU seconds that this process has used.

    Attributes:
        series: The figures of each server that is shown, by name.
    """

    def __init__(
        self,
        title: str,
        lead: str,
        clock: IReactorTime,
        update: Callable[[], object],
        connections: ConnectionList | None = None,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self.title = title
        self.lead = lead
        self.connections = connections
        self.series: dict[str, LiveSeries] = {}
        self._clock = clock
        self._update = update
        self._cpu = cpu
        self._call: IDelayedCall | None = None
        self._readers: dict[Reader, None] = {}
        self._changes = 0

    def add_series(self, name: str) -> LiveSeries:
        """Begin to show another server."""
        self.series[name] = LiveSeries(name, DURATIONS)
        return self.series[name]

    def start(self) -> None:
        """Begin to update, at once."""
        self._tick()

    def stop(self) -> None:
        """Cease to update."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _tick(self) -> None:
        began = self._cpu()
        self._update()
        if self._readers:
            self._publish()
        took = self._cpu() - began
        wait = min(max(INTERVAL, took / LARGEST_PART), LONGEST_INTERVAL)
        self._call = self._clock.callLater(wait, self._tick)

    def _publish(self) -> None:
        series = list(self.series.values())
        frame: dict[str, Any] = {
            "series": [each.as_json() for each in series],
            "failures": failure_texts(series),
        }
        if self.connections is not None and self.connections.changes != self._changes:
            self._changes = self.connections.changes
            frame["connections"] = self._list()
        data = json.dumps(frame)
        for reader in list(self._readers):
            reader.send("frame", data)

    def _list(self) -> list[dict[str, object]]:
        kept = [] if self.connections is None else self.connections.newest_first()
        return [each.as_json() for each in kept]

    def history(self) -> str:
        """Return what a page needs to begin with, as JSON."""
        return json.dumps(
            {
                "columns": COLUMNS,
                "durations": DURATIONS,
                "series": [
                    {**each.as_json(), "history": each.history()} for each in self.series.values()
                ],
                "connections": self._list(),
            }
        )

    @property
    def readers(self) -> int:
        """How many pages are open."""
        return len(self._readers)

    def subscribe(self, reader: Reader) -> None:
        """Send ``reader`` the history now, and each update from now on."""
        reader.send("history", self.history())
        self._readers[reader] = None

    def unsubscribe(self, reader: Reader) -> None:
        """Send it nothing more."""
        self._readers.pop(reader, None)
