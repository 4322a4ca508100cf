"""The page of one sampled connection: its sequence diagram, which grows with the connection."""

from __future__ import annotations

from typing import Any

from twisted.web.resource import Resource

from tlsdemo.reporting.html_page import linked_page
from tlsdemo.reporting.sequence_diagram_html import diagrams
from tlsdemo.trace.model import Trace
from tlsdemo.web.answers import NotFound
from tlsdemo.web.sampled_connections import SampledConnections

_HEAD = (
    '<link rel="icon" href="/icon.svg">\n'
    '<link rel="stylesheet" href="/sequence_diagram.css">\n'
    '<script src="/connection.js" defer></script>\n'
    '<noscript><meta http-equiv="refresh" content="5"></noscript>\n'
)


class ConnectionPages(Resource):
    """The pages of the connections that are kept, by number; ``diagram`` below for only that."""

    def __init__(self, connections: SampledConnections) -> None:
        super().__init__()
        self._connections = connections

    def getChild(self, path: bytes, request: Any) -> Resource:
        """Return the page of a connection."""
        text = path.decode("latin-1")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
        connection = self._connections.get(number)
        if connection is None:
            return NotFound()
        if request.postpath == [b"diagram"]:
            request.postpath.clear()
            return _Html(diagrams([connection.trace]))
        return NotFound() if request.postpath else _Html(connection_page(number, connection.trace))


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


class _Html(Resource):
    isLeaf = True

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render_GET(self, request: Any) -> bytes:
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        return self._text.encode()
