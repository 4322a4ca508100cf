"""The live page: what the server is doing now.

It is complete without its script: the figures are those of the moment, and it is loaded again every
few seconds.  The script (`static/live.js`) replaces the texts, and draws the charts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twisted.web.resource import Resource

from tlsdemo.reporting.html_page import html_text, linked_page
from tlsdemo.web.connection_list import ListedConnection
from tlsdemo.web.live_feed import LiveFeed
from tlsdemo.web.live_series import FIGURES, LiveSeries, failure_texts

CHARTS = {
    "states": "Open connections",
    "handshakes": "Handshakes and failures a second",
    "events": "Events a second",
    "bytes_per_event": "Bytes an event",
    "cleartext": "Cleartext, MB a second",
    "lag": "Greatest lag of the reactor, ms",
    "durations": "Handshakes by how long they took",
}
"""The charts, by the name that the script knows."""

_HEAD = (
    '<link rel="icon" href="/icon.svg">\n'
    '<link rel="stylesheet" href="/uPlot.min.css">\n'
    '<link rel="stylesheet" href="/chart_page.css">\n<link rel="stylesheet" href="/live.css">\n'
    '<script src="/uPlot.iife.min.js" defer></script>\n'
    '<script src="/stream.js" defer></script>\n<script src="/live.js" defer></script>\n'
    '<noscript><meta http-equiv="refresh" content="5"></noscript>\n'
)


class LivePage(Resource):
    """The page of ``feed``."""

    isLeaf = True

    def __init__(self, feed: LiveFeed) -> None:
        super().__init__()
        self._feed = feed

    def render_GET(self, request: Any) -> bytes:
        """Return the page as it is now."""
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        return live_page(self._feed).encode()


def live_page(feed: LiveFeed) -> str:
    """Return the page of ``feed`` as it is now."""
    return linked_page(feed.title, _HEAD, "".join(_body(feed)))


def _body(feed: LiveFeed) -> Iterator[str]:
    series = list(feed.series.values())
    yield '<a class="skip" href="#figures">Skip to the figures</a>\n'
    yield f"<header>\n<h1>{html_text(feed.title)}</h1>\n<p>{html_text(feed.lead)}</p>\n"
    yield '<p class="live"><span id="status" role="status">as of the time it was loaded</span>\n'
    yield '<button id="pause" type="button" hidden>Pause</button></p>\n</header>\n<main>\n'
    yield from _charts()
    yield from _figures(series)
    yield from _failures(series)
    if feed.connections is not None:
        yield from _connections(feed.connections.newest_first())
    yield "</main>\n"


def _charts() -> Iterator[str]:
    yield '<section id="charts" aria-labelledby="charts-title" hidden>\n'
    yield '<h2 id="charts-title">The last minutes</h2>\n<div class="charts">\n'
    for name, title in CHARTS.items():
        # What a chart shows is also in the table, for those who cannot see it.
        yield (
            f'<figure><figcaption id="{name}-title">{html_text(title)}</figcaption>'
            f'<div class="chart" data-chart="{name}" role="img" aria-labelledby="{name}-title">'
            "</div></figure>\n"
        )
    yield "</div>\n</section>\n"


def _figures(series: list[LiveSeries]) -> Iterator[str]:
    yield '<section id="figures" aria-labelledby="figures-title" tabindex="-1">\n'
    yield '<h2 id="figures-title">Figures</h2>\n<div class="tables">\n'
    load = _load_groups(series)
    if load:
        yield from _table("load", "What the clients measure", load, series)
    yield from _table("server", "What the server counts" if load else "", FIGURES, series)
    yield "</div>\n</section>\n"


def _table(
    name: str, caption: str, groups: Mapping[str, Mapping[str, str]], series: list[LiveSeries]
) -> Iterator[str]:
    label = caption or "Table of the figures"
    yield f'<div class="scroll" role="region" aria-label="{label}" tabindex="0">\n'
    yield f'<table id="{name}">\n{f"<caption>{caption}</caption>" if caption else ""}'
    yield "<thead><tr><td></td>"
    yield "".join(f'<th scope="col">{html_text(each.name)}</th>' for each in series)
    yield "</tr></thead>\n"
    texts = [{**each.texts(), **each.load.texts()} for each in series]
    for group, labels in groups.items():
        yield f'<tbody><tr><th scope="rowgroup" colspan="{len(series) + 1}">{group}</th></tr>\n'
        for figure, label in labels.items():
            cells = "".join(
                f'<td data-series="{html_text(each.name)}" data-figure="{html_text(figure)}">'
                f"{html_text(text.get(figure, ''))}</td>"
                for each, text in zip(series, texts, strict=True)
            )
            yield f'<tr><th scope="row">{html_text(label)}</th>{cells}</tr>\n'
        yield "</tbody>\n"
    yield "</table>\n</div>\n"


def _load_groups(series: list[LiveSeries]) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for each in series:
        for group, labels in each.load.groups().items():
            groups.setdefault(group, {}).update(labels)
    return groups


def _failures(series: list[LiveSeries]) -> Iterator[str]:
    yield '<section aria-labelledby="failures-title">\n'
    yield '<h2 id="failures-title">Failures by cause</h2>\n<ul id="failures">\n'
    for text in failure_texts(series):
        yield f"<li>{html_text(text)}</li>\n"
    yield "</ul>\n</section>\n"


def _connections(connections: Sequence[ListedConnection]) -> Iterator[str]:
    yield '<section aria-labelledby="connections-title">\n'
    yield '<h2 id="connections-title">Sampled connections, the last ones</h2>\n'
    yield "<p>Each opens its sequence diagram, which grows as long as the connection is open.</p>\n"
    yield '<ol id="connections">\n'
    for each in connections:
        yield (
            f'<li data-number="{each.number}"><a href="/connections/{each.number}">'
            f"{html_text(each.began)} #{each.number} from "
            f"{html_text(each.peer)}</a> <span>{html_text(each.state)}</span></li>\n"
        )
    yield "</ol>\n</section>\n"
