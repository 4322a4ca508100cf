"""The chart of a run, as SVG: a bar for each peer, in a panel for each question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from bench.measures import handshakes, memory, records, responsiveness
from bench.samples import Results

_WIDTH = 860
_LABEL = 150
_BAR = 170
_ROW = 18
_TOP = 34
_COLUMN = _WIDTH // 2


@dataclass(frozen=True)
class Panel:
    """One question; less is better in all of them."""

    title: str
    measure: str
    metric: str
    cases: tuple[str, ...]
    decimals: int


PANELS = (
    Panel(
        "µs of CPU a record of 32 B, 200 connections", records.NAME, "cpu_us_a_record",
        (records.case_of(200, 32),), 2,
    ),
    Panel(
        "ms of CPU a handshake with client certificate", handshakes.NAME, "cpu_ms_a_handshake",
        (handshakes.STORM,), 2,
    ),
    Panel(
        "KiB an idle connection", memory.NAME, "kib_a_connection",
        (memory.case_of(2000), memory.case_of(500)), 0,
    ),
    Panel(
        "ms that a probe waits when saturated, p99", responsiveness.NAME, "probe_p99_ms",
        (responsiveness.SATURATED,), 0,
    ),
)  # fmt: skip


def chart(results: Results, variants: frozenset[str] = frozenset()) -> str:
    """Return the chart; ``variants`` are the peers to leave out."""
    panels = [(panel, _values(results, panel, variants)) for panel in PANELS]
    tallest = max((len(values) for _, values in panels), default=0)
    height = _TOP + tallest * _ROW + 20
    body = [
        line
        for index, (panel, values) in enumerate(panels)
        for line in _panel(
            panel, values, index % 2 * _COLUMN + 8, index // 2 * height + 6, results.peers
        )
    ]
    total = (len(panels) + 1) // 2 * height
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {total}" '
        f'width="{_WIDTH}" height="{total}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{total}" fill="#ffffff"/>',
        *body,
        "</svg>",
        "",
    ])  # fmt: skip


def _values(results: Results, panel: Panel, variants: frozenset[str]) -> list[tuple[str, float]]:
    found = []
    for peer in results.peers:
        for case in panel.cases:
            value = results.median(panel.measure, case, peer, panel.metric)
            if value is not None and peer not in variants:
                found.append((peer, value))
                break
    return sorted(found, key=lambda each: each[1])


def _panel(
    panel: Panel, values: list[tuple[str, float]], left: int, top: int, peers: dict[str, str]
) -> Iterator[str]:
    yield (
        f'<text x="{left}" y="{top + 16}" font-weight="bold" fill="#222222">'
        f"{escape(panel.title)}</text>"
    )
    most = max((value for _, value in values), default=1.0) or 1.0
    for index, (peer, value) in enumerate(values):
        y = top + _TOP - 6 + index * _ROW
        width = max(1, round(value / most * _BAR))
        colour = "#1f6f8b" if peers[peer].startswith("tlsdemo") else "#b5bcc4"
        yield (
            f'<text x="{left + _LABEL - 6}" y="{y + 12}" text-anchor="end" fill="#222222">'
            f"{escape(peer)}</text>"
        )
        yield (
            f'<rect x="{left + _LABEL}" y="{y + 2}" width="{width}" height="{_ROW - 5}" '
            f'fill="{colour}"/>'
        )
        yield (
            f'<text x="{left + _LABEL + width + 4}" y="{y + 12}" fill="#222222">'
            f"{value:,.{panel.decimals}f}</text>"
        )
