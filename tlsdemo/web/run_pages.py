"""The live page of ``tlsdemo run``: the modes side by side, while the load runs and afterwards."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from tlsdemo.net.addresses import page_address
from tlsdemo.proxy.listening import listen
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_text import megabytes
from tlsdemo.web.door import Door
from tlsdemo.web.live_feed import LiveFeed
from tlsdemo.web.live_site import live_pages
from tlsdemo.web.remote_figures import RemoteFigures
from tlsdemo.web.site import Root, WebSite


class RunPages:
    """The page of a run, on a port of the loopback interface that the system chooses.

    ``lead``: a sentence about the load.
    """

    def __init__(self, reactor: Any, lead: str) -> None:
        self._reactor = reactor
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
        self._remote = RemoteFigures(self._reactor, path, series)
        self.show_load(mode, "starting", LoadCounters(), 0.0)

    def show_load(self, mode: str, phase: str, counters: LoadCounters, elapsed: float) -> None:
        """Show what the load client of ``mode`` tells, ``elapsed`` seconds after it connected."""
        load = self._feed.series[mode].load
        load["phase"] = phase
        load["seconds"] = f"{elapsed:,.1f}"
        load["clients secured"] = f"{counters.secured:,}"
        load["clients failed"] = f"{counters.failures:,}"
        load["packets sent"] = f"{counters.packets:,}"
        load["cleartext sent"] = megabytes(counters.sent)

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
