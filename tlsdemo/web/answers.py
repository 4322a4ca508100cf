"""The answers that are short texts: health, metrics, and what is not found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.web import http
from twisted.web.resource import Resource

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


class NotFound(Answer):
    """Answers that there is no such page."""

    def __init__(self) -> None:
        super().__init__("there is no such page; / is the first one\n", http.NOT_FOUND)


class Ready(Resource):
    """Answers whether the server accepts connections: 200, or 503 if it is not ready."""

    isLeaf = True

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        super().__init__()
        self._is_ready = is_ready

    def render_GET(self, request: Any) -> bytes:
        """Return one word."""
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        if self._is_ready():
            return b"ready\n"
        request.setResponseCode(http.SERVICE_UNAVAILABLE)
        return b"draining\n"


class FiguresNow(Resource):
    """Answers with figures as JSON."""

    isLeaf = True

    def __init__(self, figures: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__()
        self._figures = figures

    def render_GET(self, request: Any) -> bytes:
        """Return the figures."""
        request.setHeader("Content-Type", "application/json")
        return json.dumps(self._figures()).encode()


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
