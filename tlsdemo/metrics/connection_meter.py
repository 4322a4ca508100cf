"""Measures how long connections take to be secured, and counts what they agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tlsdemo.metrics.figures import DURATIONS, OTHER, Agreed
from tlsdemo.metrics.histogram import Histogram
from tlsdemo.tls import ConnectionInfo, Mode, Observer

MOST_AGREED = 64
"""How many different agreements are counted; others are counted as `OTHER`."""


class ConnectionMeter:
    """The figures of the connections of one server in ``mode``.

    Attributes:
        upgrades: Seconds from a connection's beginning to the switch to TLS.
        handshakes: Seconds from the switch until the connection was secure.
        agreed: How many connections were secured, by what they agreed on.
    """

    def __init__(self, mode: Mode) -> None:
        self.switched = mode.called
        self.upgrades = Histogram(DURATIONS)
        self.handshakes = Histogram(DURATIONS)
        self.agreed: Counter[Agreed] = Counter()

    def watch(self, _number: int, _peer: str, clock: Callable[[], float]) -> Observer:
        """Return an observer of one connection, which begins now."""
        return _Stopwatch(self, clock)

    def secure(self, seconds: float, info: ConnectionInfo) -> None:
        """Count a connection that is secure, ``seconds`` after the switch."""
        self.handshakes.add(seconds)
        # OpenSSL has named both, from lists of its own: a client can choose, but not invent.
        agreed = Agreed(info.version, info.group or "unknown", info.upgraded)
        if agreed not in self.agreed and len(self.agreed) >= MOST_AGREED:
            agreed = OTHER
        self.agreed[agreed] += 1


class _Stopwatch:
    """Observes the few steps of one connection; nothing happens per record."""

    detailed = False

    def __init__(self, meter: ConnectionMeter, clock: Callable[[], float]) -> None:
        self._meter = meter
        self._clock = clock
        self._since = clock()

    def event(self, name: str, **facts: object) -> None:
        """Measure the time since the step before."""
        if name == self._meter.switched:
            now = self._clock()
            self._meter.upgrades.add(now - self._since)
            self._since = now
        elif name == "secure":
            info = facts["info"]
            assert isinstance(info, ConnectionInfo)
            self._meter.secure(self._clock() - self._since, info)

    def detail(self, name: str, **facts: object) -> None:
        """Do nothing: never called."""

    def wire(self, sent: bool, data: bytes) -> None:
        """Do nothing: never called."""

    def tls_created(self, connection: object) -> None:
        """Do nothing: never called."""
