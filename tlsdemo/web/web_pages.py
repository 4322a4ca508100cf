"""The pages of one server, from its start until it has drained."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import GzipEncoderFactory

from tlsdemo.metrics.prometheus import exposition, registry_of
from tlsdemo.metrics.server_figures import ServerFigures
from tlsdemo.metrics.worker_metrics import WorkerCollector
from tlsdemo.metrics.workers_figures import WorkersFigures
from tlsdemo.net.addresses import page_address
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.listening import listen, with_private_mode
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import Server
from tlsdemo.proxy.workers import Workers
from tlsdemo.tls import Mode
from tlsdemo.web.answers import Answer, FiguresNow, Metrics, Ready
from tlsdemo.web.connection_list import ConnectionList
from tlsdemo.web.connection_page import ConnectionPages
from tlsdemo.web.door import Door
from tlsdemo.web.later import AfterRefresh
from tlsdemo.web.live_feed import LiveFeed
from tlsdemo.web.live_series import LiveSeries
from tlsdemo.web.live_site import live_pages
from tlsdemo.web.page_watches import PageWatches
from tlsdemo.web.site import Root, WebSite
from tlsdemo.web.worker_questions import WorkerQuestions

_log = PrintableLogger(namespace="tlsdemo")


class WebPages:
    """The pages of a server in ``mode``, at the server endpoint string ``where``.

    The server's settings have to have the watches and preparations of ``watched``, unless it has
    workers.  ``token``: see `Door`.
    """

    def __init__(self, where: str, token: str | None, mode: Mode) -> None:
        self.watched = PageWatches(mode)
        self._where = where
        self._door = Door(token)
        self._port: IListeningPort | None = None
        self._questions: WorkerQuestions | None = None

    def listen(self, reactor: Any, server: Server, settings: ServerSettings) -> None:
        """Listen, and show the figures of ``server``; raises CannotStart."""
        figures = ServerFigures(server, settings, self.watched.meter)
        connections = self.watched.connections

        def update() -> None:
            series.add(figures.take_reading())

        self._feed, series = _feed(figures, "", reactor, update, connections)
        metrics = Metrics(partial(exposition, registry_of(figures)))
        self._serve(reactor, figures, connections, metrics, FiguresNow(figures.reading))

    def listen_for_workers(self, reactor: Any, workers: Workers, settings: ServerSettings) -> None:
        """Listen, and show the figures of all ``workers``; raises CannotStart."""
        figures = WorkersFigures(workers, settings)
        questions = self._questions = WorkerQuestions(lambda: workers.processes, figures, reactor)
        workers.on_start(questions.started)
        workers.on_end(questions.ended)

        def update() -> None:
            questions.refresh().addCallback(lambda _: series.add(figures.reading()))

        lead = f" {workers.count} workers; the lag is the greatest of theirs."
        self._feed, series = _feed(figures, lead, reactor, update, questions.connections)
        registry = registry_of(figures, WorkerCollector(figures))
        metrics = AfterRefresh(Metrics(partial(exposition, registry)), questions.refresh)
        now = AfterRefresh(FiguresNow(figures.reading), questions.refresh)
        self._serve(reactor, figures, questions.connections, metrics, now)

    def _serve(
        self,
        reactor: Any,
        figures: ServerFigures | WorkersFigures,
        connections: ConnectionList,
        metrics: Resource,
        now: Resource,
    ) -> None:
        pages: dict[str, Resource] = {
            **live_pages(self._feed, reactor),
            "connections": ConnectionPages(connections),
            "figures.json": now,
            "metrics": EncodingResourceWrapper(metrics, [GzipEncoderFactory()]),
            "healthz": Answer("alive\n"),
            "readyz": Ready(figures.not_ready),
        }
        self._site = WebSite(Root(pages), self._door)
        self._port = listen(reactor, with_private_mode(self._where), self._site)

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
        if self._questions is not None:
            self._questions.stop()
        self._site.close()
        return maybeDeferred(self._port.stopListening)


def _feed(
    figures: ServerFigures | WorkersFigures,
    more: str,
    reactor: Any,
    update: Callable[[], object],
    connections: ConnectionList,
) -> tuple[LiveFeed, LiveSeries]:
    mode, dialect, auto = figures.kind
    where = ", ".join(figures.listening())
    lead = (
        f"What the server does now. Dialect {'auto:' if auto else ''}{dialect}, listening on "
        f"{where}.{more}"
    )
    feed = LiveFeed(f"tlsdemo, mode {mode}", lead, reactor, update, connections)
    return feed, feed.add_series(mode)
