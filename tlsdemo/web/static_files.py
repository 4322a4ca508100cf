"""The files that the pages refer to: all are part of the package, so no network is needed."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from twisted.web.resource import Resource

from tlsdemo.reporting.page_files import data_file

_TYPES = {
    "live.css": "text/css",
    "icon.svg": "image/svg+xml",
    "stream.js": "text/javascript",
    "live.js": "text/javascript",
    "connection.js": "text/javascript",
}
"""The files of this package, and their media types."""

_OF_REPORTS = {
    "chart_page.css": "text/css",
    "sequence_diagram.css": "text/css",
    "uPlot.min.css": "text/css",
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.LICENSE": "text/plain",
}
"""Those that pages in files have as well."""


class _File(Resource):
    isLeaf = True

    def __init__(self, text: str, kind: str) -> None:
        super().__init__()
        self._data = text.encode()
        self._kind = kind

    def render_GET(self, request: Any) -> bytes:
        request.setHeader("Content-Type", f"{self._kind}; charset=utf-8")
        return self._data


def static_files() -> dict[str, Resource]:
    """Return a resource for each file, by its name."""
    folder = files(__package__).joinpath("static")
    own: dict[str, Resource] = {
        name: _File(folder.joinpath(name).read_text(encoding="utf-8"), kind)
        for name, kind in _TYPES.items()
    }
    return {**own, **{name: _File(data_file(name), kind) for name, kind in _OF_REPORTS.items()}}
