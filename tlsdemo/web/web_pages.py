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
from tlsdemo.web.answers import Answer, Metrics, Ready
from tlsdemo.web.door import Door
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
        self._port: IListeningPort | None = None

    @property
    def watches(self) -> list[Watch]:
        """What observes the connections for the pages."""
        return [self._meter.watch]

    def listen(self, reactor: Any, server: Server, settings: ServerSettings) -> None:
        """Listen, and show the figures of ``server``; raises CannotStart."""
        figures = ServerFigures(server, settings, self._meter)
        root = Root()
        for name, page in self._pages(figures).items():
            root.putChild(name.encode(), page)
        self._site = WebSite(root, self._door)
        self._port = listen(reactor, with_private_mode(self._where), self._site)

    def _pages(self, figures: ServerFigures) -> dict[str, Resource]:
        metrics = Metrics(partial(exposition, registry_of(figures)))
        return {
            "metrics": EncodingResourceWrapper(metrics, [GzipEncoderFactory()]),
            "healthz": Answer("alive\n"),
            "readyz": Ready(lambda: figures.is_ready),
        }

    def started(self) -> None:
        """Log where the pages are."""
        assert self._port is not None
        where = page_address(self._port.getHost(), secure=self._where.startswith("ssl:"))
        _log.info("metrics and health are at {where}", where=where)

    def stop(self) -> Deferred[Any]:
        """Stop listening, and close all connections."""
        assert self._port is not None
        self._site.close()
        return maybeDeferred(self._port.stopListening)
