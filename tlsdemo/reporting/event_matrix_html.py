"""The event matrix as one self-contained HTML page, in the style of the sequence diagrams."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from tlsdemo.reporting.event_matrix import RACE, THEN, EventMatrix, lifelines_of, outcomes_of
from tlsdemo.reporting.grouping import by_scenario, grouped, names_of, not_observed, not_tried
from tlsdemo.reporting.html_page import html_page, html_text
from tlsdemo.reporting.page_files import data_file
from tlsdemo.trace.observation import EventSequences, Observation

TITLE = "What fires when"

_KEY = (
    '<p class="key"><span class="order">This end was told of no failure, rightly or not.</span> '
    '<span class="failure">It was told of one.</span></p>\n'
    '<p><label><input type="checkbox" id="only"> Only scenarios in which configurations '
    "differ</label></p>\n"
)


def matrix_page(matrix: EventMatrix, first: str = "") -> str:
    """Return the page: for each scenario the outcome on both ends, and the event sequences.

    ``first``: HTML that comes before all scenarios.
    """
    scenarios = by_scenario(matrix.cells)
    versions = "".join(
        f"<div><dt>{html_text(name)}</dt><dd>{html_text(version)}</dd></div>"
        for name, version in matrix.versions.items()
    )
    links = "".join(
        f'<li><a href="#s{number}">{html_text(scenario)}</a></li>'
        for number, scenario in enumerate(scenarios, 1)
    )
    names = names_of(matrix.cells)
    sections = "".join(
        part
        for number, (scenario, cells) in enumerate(scenarios.items(), 1)
        for part in _scenario(number, scenario, matrix.descriptions.get(scenario, ""), cells, names)
    )
    body = (
        '<a class="skip" href="#s1">Skip to the first scenario</a>\n'
        f'<header class="top">\n<h1>{TITLE}</h1>\n<p class="lead">For each scenario: the outcome '
        "on both ends, and the sequence of events that leads to it.</p>\n"
        f'<dl class="facts">{versions}</dl>\n'
        f'<nav aria-label="Scenarios"><ul>{links}</ul></nav>\n{_KEY}</header>\n'
        f"<main>\n{first}{sections}{''.join(_not_observed(matrix.cells))}</main>\n"
    )
    return html_page(TITLE, data_file("sequence_diagram.css") + data_file("event_matrix.css"), body)


def _scenario(
    number: int,
    scenario: str,
    description: str,
    cells: Sequence[Observation],
    names: Collection[str],
) -> Iterator[str]:
    groups = grouped(cells, outcomes_of, names)
    kind = "same" if len(groups) == 1 else "differs"
    yield f'<section id="s{number}" class="{kind}" aria-labelledby="s{number}-title">\n'
    yield f'<h2 id="s{number}-title">{html_text(scenario)}</h2>\n<p>{html_text(description)}</p>\n'
    yield f"<table><caption>{html_text(scenario)}: outcome on each end</caption>\n<thead><tr>"
    yield '<th scope="col">configurations</th><th scope="col">server</th>'
    yield '<th scope="col">client</th></tr></thead>\n<tbody>\n'
    for group in groups:
        yield f'<tr><th scope="row">{html_text(group.configurations)}</th>'
        for end, outcome in zip(("server", "client"), outcomes_of(group.first), strict=True):
            told = "order" if outcome.in_order else "failure"
            yield f'<td class="{told}" data-of="{end}">{html_text(outcome.text)}</td>'
        yield "</tr>\n"
    if others := not_tried(cells, names):
        yield f'<tr class="untried"><th scope="row">{html_text(", ".join(others))}</th>'
        yield '<td colspan="2">not tried</td></tr>\n'
    yield "</tbody></table>\n<details><summary>Event sequences</summary>\n"
    for group in grouped(cells, lambda cell: tuple(cell.sequences), names):
        yield f"<p>{html_text(group.configurations)}</p>\n"
        for index, sequences in enumerate(group.first.sequences):
            yield f"<p>{RACE}</p>\n" if index else ""
            yield _sequences(sequences)
    yield "</details>\n</section>\n"


def _sequences(sequences: EventSequences) -> str:
    parts = "".join(
        f"<dt>{html_text(name)}</dt><dd>{html_text(THEN.join(labels))}</dd>"
        for name, labels in lifelines_of(sequences)
    )
    return f'<dl class="sequences">{parts}</dl>\n'


def _not_observed(cells: Sequence[Observation]) -> Iterator[str]:
    reasons = not_observed(cells)
    if reasons:
        yield '<section aria-labelledby="none"><h2 id="none">Not observed</h2>\n<ul>\n'
        for reason, names in reasons.items():
            yield f"<li>{html_text(reason)}: {html_text('; '.join(names))}</li>\n"
        yield "</ul></section>\n"
