"""PURE.  The page of a load, in one file: distributions, course, failures, figures.

It needs no network: uPlot, which draws the charts, is in it.  Its policy forbids everything that is
not, so what a server has said cannot do anything either.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tlsdemo.reporting.html_page import html_text, linked_page
from tlsdemo.reporting.latencies import CAN_MEASURE, NAMES
from tlsdemo.reporting.load_charts import (
    Chart,
    course_charts,
    distribution_charts,
    labelled_windows,
)
from tlsdemo.reporting.page_files import data_file
from tlsdemo.reporting.run_comparison import RunComparison, comparison_rows
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.run_text import result_lines
from tlsdemo.reporting.window_result import WindowResult

NOT_MEASURED = "—"

MOST_WARNINGS = 3
"""Warnings at the top of a page; the summary has all."""


@dataclass(frozen=True)
class LoadPage:
    """What a page shows.

    Attributes:
        title: What was loaded.
        lead: How, in one line.
        runs: The results by their titles, which tell them apart.
        verdicts: Whether each objective was fulfilled, and the line about it.
        environment: Names and values of what it was measured with.
        comparisons: Of the servers, or modes, whose runs these are.
    """

    title: str
    lead: str
    runs: Mapping[str, RunResult]
    verdicts: Sequence[tuple[bool, str]] = ()
    environment: Mapping[str, str] | None = None
    comparisons: Sequence[RunComparison] = ()

    def html(self) -> str:
        """Return the page."""
        windows = labelled_windows(self.runs)
        charts = {
            "distributions": [*distribution_charts(windows)] if CAN_MEASURE else [],
            "course": [*course_charts(self.runs)],
        }
        body = "".join(self._body(windows, charts))
        sheets = ("uPlot.min.css", "chart_page.css", "load_page.css")
        style = "".join(f"\n{data_file(each)}" for each in sheets)
        scripts = [data_file("uPlot.iife.min.js"), data_file("load_page.js")]
        policy = (
            f"default-src 'none'; style-src {_source(style)}; "
            f"script-src {' '.join(map(_source, scripts))}"
        )
        head = (
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            f"<!-- {data_file('uPlot.LICENSE')} -->\n<style>{style}</style>\n"
        )
        every = [each.as_json() for group in charts.values() for each in group]
        data = f'<script type="application/json" id="charts">{_json(every)}</script>\n'
        ends = "".join(f"<script>{each}</script>\n" for each in scripts)
        return linked_page(self.title, head, f"{body}{data}{ends}")

    def _body(
        self, windows: Sequence[tuple[str, WindowResult]], charts: Mapping[str, Sequence[Chart]]
    ) -> Iterator[str]:
        yield '<a class="skip" href="#figures">Skip to the figures</a>\n'
        yield f"<header>\n<h1>{html_text(self.title)}</h1>\n<p>{html_text(self.lead)}</p>\n"
        yield "</header>\n<main>\n"
        yield from self._verdicts(windows)
        yield from self._compared()
        yield from _charts(
            "distributions", "Latency distributions",
            "Each nine is as wide as the one before: the right end is the slowest of all.",
            charts["distributions"], 0,
        )  # fmt: skip
        yield from _charts(
            "course", "Course", "Over the seconds since connecting began.",
            charts["course"], len(charts["distributions"]),
        )  # fmt: skip
        yield from self._failures()
        yield from _figures(windows)
        yield from self._summary()
        yield "</main>\n"

    def _verdicts(self, windows: Sequence[tuple[str, WindowResult]]) -> Iterator[str]:
        lines = [("held" if held else "not-held", line) for held, line in self.verdicts]
        lines += [
            ("not-held", f"{title}: {run.problem}" if len(self.runs) > 1 else run.problem)
            for title, run in self.runs.items()
            if run.problem is not None
        ]
        warnings = [f"{label}: {text}" for label, each in windows for text in each.warnings()]
        more = len(warnings) - MOST_WARNINGS
        if more > 1:
            warnings[MOST_WARNINGS:] = [f"{more} more such warnings: see the summary"]
        lines += [("warning", each) for each in warnings]
        if lines:
            yield '<section aria-labelledby="verdicts-title">\n'
            yield '<h2 id="verdicts-title">Verdicts</h2>\n<ul class="verdicts">\n'
            for kind, line in lines:
                yield f'<li class="{kind}">{html_text(line)}</li>\n'
            yield "</ul>\n</section>\n"

    def _compared(self) -> Iterator[str]:
        if not self.comparisons:
            return
        yield '<section aria-labelledby="comparison-title">\n'
        yield '<h2 id="comparison-title">Comparison</h2>\n'
        for each in self.comparisons:
            yield f"<h3>{html_text(each.title)}</h3>\n"
            heads = ["figure", "verdict", "change", each.baseline.name, each.candidate.name]
            # On a narrow screen, what matters is seen first.
            rows = [
                [name, verdict, change, before, after]
                for name, before, after, change, verdict in comparison_rows(each)
            ]
            yield from _table(f"Table of {each.title}", heads, rows)
            yield "".join(f"<p>{html_text(note)}</p>\n" for note in each.notes())
        yield "</section>\n"

    def _failures(self) -> Iterator[str]:
        failed: Counter[str] = Counter()
        details: dict[str, str] = {}
        for run in self.runs.values():
            failed.update(run.counters.failed)
            details = {**run.counters.details, **details}
        begun = sum(run.counters.begun for run in self.runs.values())
        yield '<section aria-labelledby="failures-title">\n'
        yield '<h2 id="failures-title">Failures by cause</h2>\n'
        if not failed:
            yield f"<p>None of {begun:,} connections.</p>\n"
        else:
            rows = [
                [
                    cause,
                    f"{count:,}",
                    f"{count / begun:.2%}" if begun else "",
                    details.get(cause, ""),
                ]
                for cause, count in failed.most_common()
            ]
            heads = ["cause", "connections", f"of {begun:,}", "the first of them"]
            yield from _table("Table of the failures", heads, rows, last_is_text=True)
        yield "</section>\n"

    def _summary(self) -> Iterator[str]:
        yield '<section aria-labelledby="summary-title">\n'
        yield '<h2 id="summary-title">Summary</h2>\n'
        for title, run in self.runs.items():
            if len(self.runs) > 1:
                yield f"<h3>{html_text(title)}</h3>\n"
            yield '<ul class="lines">\n'
            yield "".join(f"<li>{html_text(line)}</li>\n" for line in result_lines(run))
            yield "</ul>\n"
        if self.environment:
            rows = [[name, value] for name, value in self.environment.items()]
            yield "<h3>Measured with</h3>\n"
            yield from _table("Environment", ["", ""], rows, last_is_text=True)
        yield "</section>\n"


def _charts(name: str, title: str, lead: str, charts: Sequence[Chart], first: int) -> Iterator[str]:
    if not charts:
        return
    yield f'<section aria-labelledby="{name}-title">\n<h2 id="{name}-title">{title}</h2>\n'
    yield f"<p>{lead}</p>\n<noscript><p>The charts need JavaScript; the figures are below.</p>"
    yield '</noscript>\n<div class="charts">\n'
    for number, chart in enumerate(charts, first):
        unit = f", {chart.unit}" if chart.unit else ""
        # What a chart shows is also in the table, for those who cannot see it.
        yield (
            f'<figure><figcaption id="chart-{number}-title">{html_text(chart.title)}{unit}'
            f'</figcaption><div class="chart" data-chart="{number}" role="img" '
            f'aria-labelledby="chart-{number}-title" aria-describedby="figures-title"></div>'
            "</figure>\n"
        )
    yield "</div>\n</section>\n"


def _figures(windows: Sequence[tuple[str, WindowResult]]) -> Iterator[str]:
    yield '<section id="figures" aria-labelledby="figures-title" tabindex="-1">\n'
    yield '<h2 id="figures-title">Figures</h2>\n'
    rows = [
        [
            label,
            f"{each.seconds:,.2f}",
            f"{each.done:,}",
            f"{each.done_per_second:,.1f}",
            f"{each.counters.missed:,}" if each.rate else NOT_MEASURED,
            f"{each.unfinished:,}",
            f"{each.counters.failures:,}",
        ]
        for label, each in windows
        if each.number
    ]
    heads = ["window", "seconds", "done", "a second", "not in time", "unfinished", "failed"]
    yield from _table("Work", heads, rows)
    rows = []
    for label, window in windows:
        for name in NAMES:
            found = window.latencies.percentiles(name)
            if found is not None:
                values = (found.mean, found.p50, found.p90, found.p99, found.p999, found.max)
                cells = [f"{value * 1000:,.2f}" for value in values]
                rows.append([f"{name}, {label}", f"{found.count:,}", *cells])
    heads = ["latency, ms", "measured", "mean", "p50", "p90", "p99", "p99.9", "max"]
    yield from _table("Latencies", heads, rows)
    yield "</section>\n"


def _table(
    label: str, heads: Sequence[str], rows: Sequence[Sequence[str]], last_is_text: bool = False
) -> Iterator[str]:
    if not rows:
        return
    yield f'<div class="scroll" role="region" aria-label="{html_text(label)}" tabindex="0">\n'
    yield f"<table{' class=text' if last_is_text else ''}>\n"
    if any(heads):
        cells = "".join(f'<th scope="col">{html_text(each)}</th>' for each in heads)
        yield f"<thead><tr>{cells}</tr></thead>\n"
    yield "<tbody>\n"
    for first, *others in rows:
        cells = "".join(f"<td>{html_text(each)}</td>" for each in others)
        yield f'<tr><th scope="row">{html_text(first)}</th>{cells}</tr>\n'
    yield "</tbody>\n</table>\n</div>\n"


def _source(text: str) -> str:
    """Return the source of a policy that allows an inline script or style with this text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _json(value: object) -> str:
    """Return JSON that cannot end the element that contains it."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
