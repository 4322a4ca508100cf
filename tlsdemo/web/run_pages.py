"""The live page of ``tlsdemo run``: the modes side by side, while the load runs and afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from tlsdemo.net.addresses import page_address
from tlsdemo.proxy.listening import listen
from tlsdemo.reporting.latencies import ROUND_TRIP, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.web.door import Door
from tlsdemo.web.live_feed import LiveFeed
from tlsdemo.web.live_site import live_pages
from tlsdemo.web.load_figures import LoadFigures
from tlsdemo.web.remote_figures import RemoteFigures
from tlsdemo.web.site import Root, WebSite


class RunPages:
    """The page of a run, on a port of the loopback interface that the system chooses.

    ``lead``: a sentence about the load.  ``latencies``: the names of those that it will have.
    """

    def __init__(self, reactor: Any, lead: str, latencies: Sequence[str] = ()) -> None:
        self._reactor = reactor
        self._latencies = latencies
        self._remote: RemoteFigures | None = None
        self._feed = LiveFeed("tlsdemo run", lead, reactor, self._ask)
        self._site = WebSite(Root(live_pages(self._feed, reactor)), Door())
        self._port = listen(reactor, "tcp:0:interface=127.0.0.1", self._site)
        self._feed.start()
        self.address = page_address(self._port.getHost())

    def _ask(self) -> None:
        if self._remote is not None:
            self._remote.ask()

    def begin(self, mode: str, path: str) -> None:
        """Show the server in ``mode``, whose pages are at the UNIX socket ``path``."""
        series = self._feed.add_series(mode)
        series.load = LoadFigures(self._latencies)
        self._remote = RemoteFigures(self._reactor, path, series)
        self.show_load(mode, "starting", LoadCounters(), 0.0)

    def show_load(self, mode: str, phase: str, counters: LoadCounters, elapsed: float) -> None:
        """Show what the load client of ``mode`` tells, ``elapsed`` seconds after it connected."""
        self._feed.series[mode].load.count(phase, counters, elapsed)

    def show_latencies(self, mode: str, latencies: Latencies, probed: Latencies | None) -> None:
        """Show what the load client of ``mode``, and its probe if there is one, have measured."""
        load = self._feed.series[mode].load
        load.measure(latencies)
        if probed is not None:
            load.probe(probed, ROUND_TRIP)

    def show_result(self, mode: str, result: RunResult) -> None:
        """Show what the run in ``mode`` has measured, when it is over."""
        opening = [] if result.opening is None else [result.opening]
        latencies = Latencies.total(each.latencies for each in [*opening, *result.windows])
        probed = None if result.probe is None else result.probe.latencies
        self.show_latencies(mode, latencies, probed)

    async def end(self) -> None:
        """Show the last figures of the server, which is about to be stopped."""
        if self._remote is not None:
            remote, self._remote = self._remote, None
            await remote.close()

    def close(self) -> Deferred[Any]:
        """Close the page."""
        self._feed.stop()
        self._site.close()
        return maybeDeferred(self._port.stopListening)
