"""The figures of one server, read when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tlsdemo.metrics.connection_meter import ConnectionMeter
from tlsdemo.metrics.figures import LAGS, Figures
from tlsdemo.metrics.histogram import Histogram
from tlsdemo.metrics.reading import Reading
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import Server
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls.timeouts import ConnectionPhase

STATES = {
    ConnectionPhase.PLAIN: "negotiating",
    ConnectionPhase.HANDSHAKE: "handshake",
    ConnectionPhase.OPEN: "open",
    ConnectionPhase.CLOSING: "closing",
    ConnectionPhase.OVER: "draining",
}
"""What the phases of an open connection are called: ``draining`` still has data for the backend."""


class ServerKind(NamedTuple):
    """What a server is: the names of its mode and its dialect; with ``auto`` also TLS at once."""

    mode: str
    dialect: str
    auto: bool

    @classmethod
    def of(cls, settings: ServerSettings) -> ServerKind:
        """Return what a server with these settings is."""
        mode = settings.connection.mode.name.value
        return cls(mode, settings.dialect.name, settings.auto)


class ServerFigures:
    """The figures of ``server``, whose connections ``meter`` has observed.

    Attributes:
        kind: What the server is.
        meter: The figures of handshakes and upgrades.
        lag: The histogram of the reactor's lag.
    """

    def __init__(self, server: Server, settings: ServerSettings, meter: ConnectionMeter) -> None:
        self._server = server
        self.kind = ServerKind.of(settings)
        self.meter = meter
        self.lag = Histogram(LAGS)
        server.lag_meter.report_to(self.lag.add)
        self._last_lag = 0.0
        self._lag_lately = server.lag_meter.reading()

    def not_ready(self) -> str:
        """Return why the server does not accept connections; empty if it does."""
        return "" if self._server.running else "draining"

    def snapshot(self) -> Snapshot:
        """Return the present value of every counter."""
        return self._server.snapshot()

    def take_reading(self) -> Reading:
        """Return the figures for the live page, with the lag since the last call."""
        self._last_lag = self._lag_lately.take()
        return self.reading()

    def reading(self) -> Reading:
        """Return the figures as they are now, with the lag that was taken last."""
        snapshot = self._server.snapshot(self._last_lag)
        return Reading(snapshot, self.states(), list(self.meter.handshakes.counts))

    def figures(self, states: Mapping[str, int] | None = None) -> Figures:
        """Return what is measured beside the counters; ``states`` if they have been counted."""
        meter, now = self.meter, self.states() if states is None else states
        return Figures(now, meter.handshakes, meter.upgrades, self.lag, meter.agreed)

    def lags(self) -> Mapping[str, Histogram]:
        """Return the histogram of the lag of each worker: there is only this process, "1"."""
        return {"1": self.lag}

    def states(self) -> dict[str, int]:
        """Return how many connections are open, by state; all states are there."""
        phases = self._server.phases()
        return {name: phases[phase] for phase, name in STATES.items()}

    def listening(self) -> list[str]:
        """Return where clients can connect, as endpoint strings."""
        return self._server.listening()
