"""A server on loopback whose metrics are collected."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor

from tests.proxy.fakes import server_settings
from tests.proxy.loopback_server import LoopbackTestCase
from tlsdemo.metrics.connection_meter import ConnectionMeter
from tlsdemo.metrics.server_figures import ServerFigures
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.tls import MODES, ClientAuth, ModeName


class MeteredCase(LoopbackTestCase):
    def metered(self, mode: ModeName, **changes: Any) -> tuple[Server, ServerFigures]:
        """Start a server, on a port that the system chooses; return it with its figures."""
        meter = ConnectionMeter(MODES[mode])
        changes = {
            "listen": ["tcp:0:interface=127.0.0.1"],
            "handler": HandlerName.ECHO,
            "watches": [meter.watch],
            **changes,
        }
        settings = server_settings(mode, None, 1 << 16, ClientAuth.REQUIRED, **changes)
        server = Server(settings, reactor)
        figures = ServerFigures(server, settings, meter)
        server.privilegedStartService()
        server.startService()
        self.addCleanup(lambda: server.stopService() if server.running else None)
        return server, figures
