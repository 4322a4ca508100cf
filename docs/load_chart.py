"""Draws what a load measured, as SVG; ``load_chart.py RESULTS.json CHART.svg``.

The results are those of ``tlsdemo run --json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

PANELS = (
    ("MB/s", "megabytes_per_second", 1.0, "{:,.1f}"),
    ("events of the application", "events", 1.0, "{:,.0f}"),
    ("the server's CPU, ms per MB", "server_cpu_seconds_per_megabyte", 1000.0, "{:,.1f}"),
    ("its reactor's greatest lag, ms", "server_greatest_lag_seconds", 1000.0, "{:,.0f}"),
)
"""A title, the name of a figure in the results, its factor, and how it is written."""

_WIDTH, _LABEL, _BAR, _ROW, _TOP = 860, 80, 240, 20, 30
_COLOURS = ("#b5bcc4", "#1f6f8b")


def chart(results: dict[str, Any]) -> str:
    """Return a panel for each figure, with a bar for each mode, and the versions below."""
    runs = results["runs"]
    height = _TOP + len(runs) * _ROW + 16
    body = [
        line
        for number, panel in enumerate(PANELS)
        for line in _panel(panel, runs, number % 2 * _WIDTH // 2 + 8, number // 2 * height + 4)
    ]
    total = (len(PANELS) + 1) // 2 * height + 24
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    caption = f"{runs[0]['connections']:,} connections; {versions}"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {total}" '
        f'width="{_WIDTH}" height="{total}" font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{total}" fill="#ffffff"/>',
        *body,
        f'<text x="8" y="{total - 9}" font-size="12" fill="#555555">{escape(caption)}</text>',
        "</svg>",
        "",
    ])  # fmt: skip


def _panel(panel: tuple[str, str, float, str], runs: Any, left: int, top: int) -> Iterator[str]:
    title, name, factor, form = panel
    yield (
        f'<text x="{left}" y="{top + 18}" font-weight="bold" fill="#222222">{escape(title)}</text>'
    )
    values = [run[name] * factor for run in runs]
    for number, (run, value) in enumerate(zip(runs, values, strict=True)):
        y = top + _TOP + number * _ROW
        width = max(1, round(value / (max(values) or 1.0) * _BAR))
        yield (
            f'<text x="{left + _LABEL - 6}" y="{y + 12}" text-anchor="end" fill="#222222">'
            f"{escape(run['mode'])}</text>"
        )
        yield (
            f'<rect x="{left + _LABEL}" y="{y}" width="{width}" height="{_ROW - 5}" '
            f'fill="{_COLOURS[number % 2]}"/>'
        )
        yield (
            f'<text x="{left + _LABEL + width + 5}" y="{y + 12}" fill="#222222">'
            f"{form.format(value)}</text>"
        )


def main(results: str, image: str) -> None:
    """Write the chart."""
    document = json.loads(Path(results).read_text(encoding="utf-8"))
    Path(image).write_text(chart(document), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
