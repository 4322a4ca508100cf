"""The page of one sampled connection: its sequence diagram, which grows with the connection."""

from __future__ import annotations

from typing import Any

from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource

from tlsdemo.reporting.html_page import linked_page
from tlsdemo.reporting.sequence_diagram_html import diagrams
from tlsdemo.trace.model import Trace
from tlsdemo.web.answers import NotFound, not_found
from tlsdemo.web.connection_list import ConnectionList, TraceUnavailable
from tlsdemo.web.later import answer_later

_HEAD = (
    '<link rel="icon" href="/icon.svg">\n'
    '<link rel="stylesheet" href="/sequence_diagram.css">\n'
    '<script src="/stream.js" defer></script>\n<script src="/connection.js" defer></script>\n'
    '<noscript><meta http-equiv="refresh" content="5"></noscript>\n'
)


class ConnectionPages(Resource):
    """The pages of the connections that are kept, by number; ``diagram`` below for only that."""

    def __init__(self, connections: ConnectionList) -> None:
        super().__init__()
        self._connections = connections

    def getChild(self, path: bytes, request: Any) -> Resource:
        """Return the page of a connection."""
        text = path.decode("latin-1")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
        only_diagram = request.postpath == [b"diagram"]
        if only_diagram:
            request.postpath.clear()
        if not number or request.postpath:
            return NotFound()
        return _ConnectionPage(self._connections, number, only_diagram)


def connection_page(number: int, trace: Trace) -> str:
    """Return the page of the connection ``number``."""
    return linked_page(
        trace.title,
        _HEAD,
        '<a class="skip" href="#c1">Skip to the connection</a>\n'
        '<nav class="top"><a href="/">All connections</a> '
        '<span id="status" role="status"></span></nav>\n'
        f'<div id="diagram" data-connection="{number}">\n{diagrams([trace])}</div>\n',
    )


class _ConnectionPage(Resource):
    isLeaf = True

    def __init__(self, connections: ConnectionList, number: int, only_diagram: bool) -> None:
        super().__init__()
        self._connections = connections
        self._number = number
        self._only_diagram = only_diagram

    def render_GET(self, request: Any) -> Any:
        def page(trace: Trace | None) -> bytes:
            if trace is None:
                return not_found(request)
            request.setHeader("Content-Type", "text/html; charset=utf-8")
            if self._only_diagram:
                return diagrams([trace]).encode()
            return connection_page(self._number, trace).encode()

        def unavailable(failure: Failure) -> bytes:
            failure.trap(TraceUnavailable)
            request.setResponseCode(http.SERVICE_UNAVAILABLE)
            request.setHeader("Content-Type", "text/plain; charset=utf-8")
            return f"{failure.value}; load this page again\n".encode()

        return answer_later(
            request, self._connections.trace(self._number).addCallbacks(page, unavailable)
        )
