"""The answers that are short texts: health, metrics, and what is not found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.web import http
from twisted.web.resource import Resource

from tlsdemo.metrics.reading import Reading
from tlsdemo.web.door import header


class Answer(Resource):
    """Answers with ``text`` and an HTTP status."""

    isLeaf = True

    def __init__(self, text: str, status: int = http.OK) -> None:
        super().__init__()
        self._text = text
        self._status = status

    def render_GET(self, request: Any) -> bytes:
        """Return the text."""
        request.setResponseCode(self._status)
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        return self._text.encode()


class NotFound(Resource):
    """Answers that there is no such page."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        """Return the text."""
        return not_found(request)


def not_found(request: Any) -> bytes:
    """Have ``request`` answered with the text that is returned: there is no such page."""
    request.setResponseCode(http.NOT_FOUND)
    request.setHeader("Content-Type", "text/plain; charset=utf-8")
    return b"there is no such page; / is the first one\n"


class Ready(Resource):
    """Answers whether the server accepts connections: 200, or 503 if it is not ready.

    ``not_ready`` returns why it is not, or an empty text if it is.
    """

    isLeaf = True

    def __init__(self, not_ready: Callable[[], str]) -> None:
        super().__init__()
        self._not_ready = not_ready

    def render_GET(self, request: Any) -> bytes:
        """Return a few words."""
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        why = self._not_ready()
        if why:
            request.setResponseCode(http.SERVICE_UNAVAILABLE)
        return f"{why or 'ready'}\n".encode()


class FiguresNow(Resource):
    """Answers with the figures of the live page as JSON."""

    isLeaf = True

    def __init__(self, reading: Callable[[], Reading]) -> None:
        super().__init__()
        self._reading = reading

    def render_GET(self, request: Any) -> bytes:
        """Return the figures."""
        request.setHeader("Content-Type", "application/json")
        return json.dumps(self._reading().as_json()).encode()


class Metrics(Resource):
    """Answers with metrics; ``expose`` returns text and its type for a header ``Accept``."""

    isLeaf = True

    def __init__(self, expose: Callable[[str], tuple[bytes, str]]) -> None:
        super().__init__()
        self._expose = expose

    def render_GET(self, request: Any) -> bytes:
        """Return the metrics in the format that was asked for."""
        text, content_type = self._expose(header(request, "Accept"))
        request.setHeader("Content-Type", content_type)
        return text
