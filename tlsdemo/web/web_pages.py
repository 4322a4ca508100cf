"""The pages of one server, from its start until it has drained."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import GzipEncoderFactory

from tlsdemo.metrics.connection_meter import ConnectionMeter
from tlsdemo.metrics.prometheus import exposition, registry_of
from tlsdemo.metrics.server_figures import ServerFigures
from tlsdemo.net.addresses import page_address
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.accounting import Watch
from tlsdemo.proxy.listening import listen, with_private_mode
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import Server
from tlsdemo.tls import Mode
from tlsdemo.tls.contexts import Preparation
from tlsdemo.tls.handshake_observation import observe_states
from tlsdemo.web.answers import Answer, FiguresNow, Metrics, Ready
from tlsdemo.web.connection_page import ConnectionPages
from tlsdemo.web.door import Door
from tlsdemo.web.live_feed import LiveFeed
from tlsdemo.web.live_site import live_pages
from tlsdemo.web.sampled_connections import SampledConnections
from tlsdemo.web.site import Root, WebSite

_log = PrintableLogger(namespace="tlsdemo")


class WebPages:
    """The pages of a server in ``mode``, at the server endpoint string ``where``.

    ``watches`` have to be given to the server's settings.  ``token``: see `Door`.
    """

    def __init__(self, where: str, token: str | None, mode: Mode) -> None:
        self._where = where
        self._door = Door(token)
        self._meter = ConnectionMeter(mode)
        self._connections = SampledConnections(mode.name.value)
        self._port: IListeningPort | None = None

    @property
    def watches(self) -> list[Watch]:
        """What observes the connections for the pages."""
        return [self._meter.watch, self._connections.watch]

    @property
    def preparations(self) -> list[Preparation]:
        """The preparations that each TLS context needs for this."""
        return [observe_states]

    def listen(self, reactor: Any, server: Server, settings: ServerSettings) -> None:
        """Listen, and show the figures of ``server``; raises CannotStart."""
        figures = ServerFigures(server, settings, self._meter)
        self._feed = self._make_feed(reactor, figures)
        metrics = Metrics(partial(exposition, registry_of(figures)))
        pages: dict[str, Resource] = {
            **live_pages(self._feed, reactor),
            "connections": ConnectionPages(self._connections),
            "figures.json": FiguresNow(lambda: figures.reading().as_json()),
            "metrics": EncodingResourceWrapper(metrics, [GzipEncoderFactory()]),
            "healthz": Answer("alive\n"),
            "readyz": Ready(lambda: figures.is_ready),
        }
        self._site = WebSite(Root(pages), self._door)
        self._port = listen(reactor, with_private_mode(self._where), self._site)

    def _make_feed(self, reactor: Any, figures: ServerFigures) -> LiveFeed:
        dialect = f"{'auto:' if figures.auto else ''}{figures.dialect}"
        where = ", ".join(figures.listening())
        feed = LiveFeed(
            f"tlsdemo, mode {figures.mode}",
            f"What the server does now. Dialect {dialect}, listening on {where}.",
            reactor,
            lambda: series.add(figures.take_reading()),
            self._connections,
        )
        series = feed.add_series(figures.mode)
        return feed

    def started(self) -> None:
        """Begin to measure, and log where the pages are."""
        assert self._port is not None
        self._feed.start()
        where = page_address(self._port.getHost(), secure=self._where.startswith("ssl:"))
        _log.info("the live page is at {where}, metrics at {where}metrics", where=where)

    def stop(self) -> Deferred[Any]:
        """Stop listening, and close all connections."""
        assert self._port is not None
        self._feed.stop()
        self._site.close()
        return maybeDeferred(self._port.stopListening)
