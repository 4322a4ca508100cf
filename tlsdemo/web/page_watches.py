"""What observes the connections of one process for the pages."""

from __future__ import annotations

from tlsdemo.metrics.connection_meter import ConnectionMeter
from tlsdemo.proxy.accounting import Watch
from tlsdemo.tls import Mode
from tlsdemo.tls.contexts import Preparation
from tlsdemo.tls.handshake_observation import observe_states
from tlsdemo.web.sampled_connections import SampledConnections


class PageWatches:
    """Observes the connections of a server in ``mode``.

    Attributes:
        watches: These have to be given to the server's settings.
        preparations: Those that each TLS context needs for this.
        meter: What is measured of all connections.
        connections: The sampled ones.
    """

    def __init__(self, mode: Mode) -> None:
        self.meter = ConnectionMeter(mode)
        self.connections = SampledConnections(mode.name.value)
        self.watches: list[Watch] = [self.meter.watch, self.connections.watch]
        self.preparations: list[Preparation] = [observe_states]
