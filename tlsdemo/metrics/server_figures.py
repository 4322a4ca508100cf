"""The figures of one server, read when they are asked for."""

from __future__ import annotations

from tlsdemo.metrics.connection_meter import ConnectionMeter
from tlsdemo.metrics.histogram import Histogram
from tlsdemo.metrics.reading import Reading
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import Server
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls.timeouts import ConnectionPhase

LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""The bounds of the histogram of the reactor's lag, in seconds."""

STATES = {
    ConnectionPhase.PLAIN: "negotiating",
    ConnectionPhase.HANDSHAKE: "handshake",
    ConnectionPhase.OPEN: "open",
    ConnectionPhase.CLOSING: "closing",
    ConnectionPhase.OVER: "draining",
}
"""What the phases of an open connection are called: ``draining`` still has data for the backend."""


class ServerFigures:
    """The figures of ``server``, whose connections ``meter`` has observed.

    Attributes:
        mode: The name of the server's mode.
        dialect: That of its dialect.
        auto: Whether it also accepts TLS from the first byte.
        meter: The figures of handshakes and upgrades.
        lag: The histogram of the reactor's lag.
    """

    def __init__(self, server: Server, settings: ServerSettings, meter: ConnectionMeter) -> None:
        self._server = server
        self.mode = settings.connection.mode.name.value
        self.dialect = settings.dialect.name
        self.auto = settings.auto
        self.meter = meter
        self.lag = Histogram(LAGS)
        server.lag_meter.report_to(self.lag.add)
        self._last_lag = 0.0
        self._lag_lately = server.lag_meter.reading()

    @property
    def is_ready(self) -> bool:
        """Whether the server accepts connections: it has started, and does not drain."""
        return bool(self._server.running)

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

    def states(self) -> dict[str, int]:
        """Return how many connections are open, by state; all states are there."""
        phases = self._server.phases()
        return {name: phases[phase] for phase, name in STATES.items()}

    def listening(self) -> list[str]:
        """Return where clients can connect, as endpoint strings."""
        return self._server.listening()
