"""A server on loopback with its pages, and a client for them."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers

from tests.proxy.fakes import server_settings
from tests.proxy.loopback_server import LoopbackTestCase
from tlsdemo import tap
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.tls import MODES, ClientAuth, ModeName
from tlsdemo.web.web_pages import WebPages


class PagesCase(LoopbackTestCase):
    token: str | None = None

    def serve_pages(self, mode: ModeName = ModeName.STARTTLS, **changes: Any) -> Any:
        """Start a server with pages, on ports that the system chooses."""
        pages = self.pages = WebPages("tcp:0:interface=127.0.0.1", self.token, MODES[mode])
        changes = {
            "listen": ["tcp:0:interface=127.0.0.1"],
            "handler": HandlerName.ECHO,
            "watches": pages.watched.watches,
            **changes,
        }
        settings = server_settings(mode, None, 1 << 16, ClientAuth.REQUIRED, **changes)
        server = tap._Service(settings, reactor, twistd=None, web=pages)
        server.privilegedStartService()
        server.startService()
        self.addCleanup(lambda: server.stopService() if server.running else None)
        self.port: int = cast(Any, pages)._port.getHost().port
        return server

    async def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Return the status, the headers and the body of the answer to a request."""
        pool = HTTPConnectionPool(cast(IReactorTime, reactor), persistent=False)
        agent: Any = Agent(reactor, pool=pool)
        sent = Headers({name.replace("_", "-"): [value] for name, value in headers.items()})
        where = f"http://127.0.0.1:{self.port}{path}".encode()
        response = await agent.request(method.encode(), where, sent)
        body = await readBody(response)
        found = {
            name.decode().lower(): values[0].decode()
            for name, values in response.headers.getAllRawHeaders()
        }
        return response.code, found, body.decode()
