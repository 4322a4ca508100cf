"""The event matrix as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsdemo.reporting.event_matrix import RACE, THEN, EventMatrix, lifelines_of, outcomes_of
from tlsdemo.reporting.event_surprises import told
from tlsdemo.reporting.event_surprises_text import surprises_markdown
from tlsdemo.reporting.grouping import by_scenario, grouped, names_of, not_observed, not_tried
from tlsdemo.trace.model import End
from tlsdemo.trace.observation import Observation
from tlsdemo.trace.timeline import Event

STATES = {
    "peer": "peer's certificate",
    "alpn": "ALPN",
    "flight": "last flight written",
    "write": "a write is sent",
}
"""The facts of an event that are states, and their column headings."""

_INTRODUCTION = """\
# What fires when

For each scenario: the outcome on both ends, and the sequence of events that leads to it. Everything
on this page was observed on real connections over the loopback interface. Client and server share a
clock, and a relay between them recorded the TLS records. Each connection is made more than once; a
scenario whose event sequence changes from one time to the next is called a race.
`handshakeCompleted` and `connectionLost` are Twisted's events; `secure`, `insecure`, `confirmed`
and `closed` are tlsdemo's (see [the server](server.md)). Servers of other stacks report events
of their own.
"""


def markdown_page(matrix: EventMatrix, with_states: Sequence[Observation]) -> str:
    """Return the page: what surprises, outcomes, states, and event sequences.

    ``with_states`` are the cells for which the states at each event are shown.
    """
    versions = ", ".join(f"{name} {version}" for name, version in matrix.versions.items())
    lines = [_INTRODUCTION, f"Seen with {versions}.", ""]
    lines += surprises_markdown(list(told(matrix)))
    lines += ["## Outcome on each end", *_outcomes(matrix.cells)]
    if with_states:
        lines += ["", "## State at each event"]
    for cell in with_states:
        for end in End:
            lines += ["", *_states(cell, end)]
    lines += ["", "## Event sequences", *_sequences(matrix)]
    for reason, names in not_observed(matrix.cells).items():
        lines += ["", f"Not observed, because {reason}: {'; '.join(names)}."]
    return "\n".join(lines) + "\n"


def _outcomes(cells: Sequence[Observation]) -> Iterator[str]:
    yield ""
    yield "| scenario | configurations | server | client |"
    yield "|---|---|---|---|"
    names = names_of(cells)
    for scenario, ours in by_scenario(cells).items():
        for number, group in enumerate(grouped(ours, outcomes_of, names)):
            ends = (outcome.text for outcome in outcomes_of(group.first))
            row = ("" if number else scenario, group.configurations, *ends)
            yield f"| {' | '.join(row)} |"
        if others := not_tried(ours, names):
            yield f"|  | {', '.join(others)} | *not tried* |  |"


def _sequences(matrix: EventMatrix) -> Iterator[str]:
    names = names_of(matrix.cells)
    for scenario, cells in by_scenario(matrix.cells).items():
        yield from ("", f"### {scenario}", "", matrix.descriptions.get(scenario, ""))
        for group in grouped(cells, lambda cell: tuple(cell.sequences), names):
            yield from ("", f"**{group.configurations}**", "")
            for number, sequences in enumerate(group.first.sequences):
                if number:
                    yield from ("", RACE, "")
                for name, labels in lifelines_of(sequences):
                    yield f"- {name}: {THEN.join(labels)}"


def _states(cell: Observation, end: End) -> Iterator[str]:
    yield f"{end.value}, {cell.mode}, TLS {cell.tls}, {cell.scenario}:"
    yield ""
    yield f"| event | {' | '.join(STATES.values())} |"
    yield "|---|---|---|---|---|"
    for event in cell.traces[0].marks(end):
        yield f"| {_name(event)} | {' | '.join(states_at(event))} |"


def _name(event: Event) -> str:
    state = event.facts.get("state")
    return event.name if state is None else f"*{state}*"


def states_at(event: Event) -> list[str]:
    """Return the value of each of `STATES` at an event; empty texts before TLS has started."""
    if "peer" not in event.facts:
        return ["" for _ in STATES]
    return [_value(event.facts[state]) for state in STATES]


def _value(fact: object) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return str(fact) if fact else "none"
