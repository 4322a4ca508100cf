"""Scrapy's client of HTTPS: its download handler, with the connections that it makes by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from scrapy import Request, Spider
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from twisted.internet.defer import Deferred
from twisted.web import client

from tlsdemo.testing.pins import connecting

_SETTINGS = {
    "LOG_ENABLED": False, "REMOTE_CONTROL_ENABLED": False, "TELNETCONSOLE_ENABLED": False,
    # That which is installed, rather than one of asyncio.
    "TWISTED_REACTOR": None,
}  # fmt: skip


def scrapy_client(**settings: Any) -> Callable[[], Any]:
    """Return a function that makes the factory with which Scrapy connects to ``localhost``.

    ``settings``: Scrapy's own, such as ``DOWNLOAD_VERIFY_CERTIFICATES``.
    """

    def download(endpoint: Any) -> None:
        crawler = Crawler(Spider, {**_SETTINGS, **settings})
        crawler._apply_settings()
        handler = HTTP11DownloadHandler.from_crawler(crawler)
        # The agent of twisted.web makes its endpoint itself, and wraps it in TLS.
        with patch.object(client, "HostnameEndpoint", lambda *arguments, **named: endpoint):
            request = handler.download_request(Request("https://localhost/"))
            done: Deferred[Any] = Deferred.fromCoroutine(request)
        # What becomes of it is pinned; that it fails, is among that.
        done.addBoth(lambda outcome: None)

    return connecting(download)
