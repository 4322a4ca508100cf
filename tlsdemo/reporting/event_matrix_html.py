"""The event matrix as one self-contained HTML page, in the style of the sequence diagrams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tlsdemo.reporting.event_matrix import RACE, THEN, EventMatrix, lifelines_of, outcomes_of
from tlsdemo.reporting.grouping import by_scenario, grouped, not_observed
from tlsdemo.reporting.html_page import html_page
from tlsdemo.reporting.stylesheets import stylesheet
from tlsdemo.trace.observation import EventSequences, Observation

TITLE = "What fires when"


def matrix_page(matrix: EventMatrix) -> str:
    """Return the page: for each scenario the outcome on both ends, and the event sequences."""
    scenarios = by_scenario(matrix.cells)
    versions = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(version)}</dd></div>"
        for name, version in matrix.versions.items()
    )
    links = "".join(
        f'<li><a href="#s{number}">{escape(scenario)}</a></li>'
        for number, scenario in enumerate(scenarios, 1)
    )
    sections = "".join(
        part
        for number, (scenario, cells) in enumerate(scenarios.items(), 1)
        for part in _scenario(number, scenario, matrix.descriptions.get(scenario, ""), cells)
    )
    body = (
        '<a class="skip" href="#s1">Skip to the first scenario</a>\n'
        f'<header class="top">\n<h1>{TITLE}</h1>\n<p class="lead">For each scenario: the outcome '
        "on both ends, and the sequence of events that leads to it.</p>\n"
        f'<dl class="facts">{versions}</dl>\n'
        f'<nav aria-label="Scenarios"><ul>{links}</ul></nav>\n</header>\n'
        f"<main>\n{sections}{''.join(_not_observed(matrix.cells))}</main>\n"
    )
    return html_page(
        TITLE, stylesheet("sequence_diagram.css") + stylesheet("event_matrix.css"), body
    )


def _scenario(
    number: int, scenario: str, description: str, cells: Sequence[Observation]
) -> Iterator[str]:
    yield f'<section id="s{number}" aria-labelledby="s{number}-title">\n'
    yield f'<h2 id="s{number}-title">{escape(scenario)}</h2>\n<p>{escape(description)}</p>\n'
    yield f"<table><caption>{escape(scenario)}: outcome on each end</caption>\n<thead><tr>"
    yield '<th scope="col">configurations</th><th scope="col">server</th>'
    yield '<th scope="col">client</th></tr></thead>\n<tbody>\n'
    for group in grouped(cells, outcomes_of):
        server, client = outcomes_of(group.first)
        yield f'<tr><th scope="row">{escape(group.configurations)}</th>'
        yield f'<td class="server" data-of="server">{escape(server)}</td>'
        yield f'<td class="client" data-of="client">{escape(client)}</td></tr>\n'
    yield "</tbody></table>\n<details><summary>Event sequences</summary>\n"
    for group in grouped(cells, lambda cell: tuple(cell.sequences)):
        yield f"<p>{escape(group.configurations)}</p>\n"
        for index, sequences in enumerate(group.first.sequences):
            yield f"<p>{RACE}</p>\n" if index else ""
            yield _sequences(sequences)
    yield "</details>\n</section>\n"


def _sequences(sequences: EventSequences) -> str:
    parts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(THEN.join(labels))}</dd>"
        for name, labels in lifelines_of(sequences)
    )
    return f'<dl class="sequences">{parts}</dl>\n'


def _not_observed(cells: Sequence[Observation]) -> Iterator[str]:
    reasons = not_observed(cells)
    if reasons:
        yield '<section aria-labelledby="none"><h2 id="none">Not observed</h2>\n<ul>\n'
        for reason, names in reasons.items():
            yield f"<li>{escape(reason)}: {escape('; '.join(names))}</li>\n"
        yield "</ul></section>\n"
