"""The matrix of events, in the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tlsdemo.reporting.grouping import by_scenario, grouped, not_seen
from tlsdemo.trace.model import End
from tlsdemo.trace.observation import EventSequences, Observation
from tlsdemo.trace.timeline import Event

THEN = " → "
STATES = ("peer", "alpn", "flight", "write")
HEADINGS = ("peer's certificate", "ALPN", "last flight written", "a write goes out")


def outcomes(cells: Sequence[Observation]) -> Table:
    """Make the table of what each end was told: a row for each way, and for what differs in it."""
    table = Table(title="What each end was told", show_lines=False)
    for name in ("way", "where", "server", "client"):
        table.add_column(name, overflow="fold")
    for scenario, ours in by_scenario(cells).items():
        for number, group in enumerate(grouped(ours, outcome_of)):
            row = (group.where, *outcome_of(group.first))
            table.add_row("" if number else scenario, *row, end_section=False)
    return table


def outcome_of(cell: Observation) -> tuple[str, str]:
    """Return in a few words what the server was told, and what the client."""
    return cell.outcome(End.SERVER), cell.outcome(End.CLIENT)


def orders(cells: Sequence[Observation], sentences: Mapping[str, str]) -> RenderableType:
    """Show the order of the events of each way, cells that are alike together."""
    lines: list[RenderableType] = []
    for scenario, ours in by_scenario(cells).items():
        lines.append(Text(f"\n{scenario}: {sentences.get(scenario, '')}", style="bold"))
        for group in grouped(ours, lambda cell: tuple(cell.orders)):
            lines.append(Text(f"  {group.where}"))
            for number, order in enumerate(group.first.orders):
                if number:
                    lines.append(Text("    or, as this is a race:"))
                lines += [_line(name, seen) for name, seen in parts_of(order)]
    for why, names in not_seen(cells).items():
        lines.append(Text(f"\nnot seen, as {why}: {'; '.join(names)}", style="dim"))
    return Stack(*lines)


def _line(name: str, seen: Sequence[str]) -> RenderableType:
    line = Table.grid(padding=(0, 1))
    line.add_column(width=22)
    line.add_column(overflow="fold")
    line.add_row(f"    {name}", THEN.join(seen))
    return line


def parts_of(order: EventSequences) -> Iterator[tuple[str, Sequence[str]]]:
    """Return what is shown of an order: a name for each part, and what came in it."""
    yield "server", order.server
    yield "client", order.client
    for end in End:
        sent = [each.partition(" ")[2] for each in order.wire if each.startswith(end.value)]
        yield f"sent by the {end.value}", _counted(sent)


def _counted(names: Sequence[str]) -> list[str]:
    """Say what comes several times in a row once."""
    runs = ((name, len(list(same))) for name, same in groupby(names))
    return [name if number == 1 else f"{name} ({number} times)" for name, number in runs]


_INTRODUCTION = """\
# What fires when

For every way that a connection can go: what each end was told, and in which order. All of it was
seen on real connections over the loopback interface; client and server share a clock, and a relay
between them saw the records. A way that goes in another order the next time is called a race.
`handshakeCompleted` and `connectionLost` are Twisted's, `secure`, `insecure`, `confirmed` and
`closed` are ours (see [the README](../README.md)); those of a foreign server are its own.
"""


def markdown(
    cells: Sequence[Observation],
    sentences: Mapping[str, str],
    true_in: Sequence[Observation],
    versions: Mapping[str, str],
) -> str:
    """Return the page of documentation: outcomes, orders, and what is true at each event.

    ``true_in``: the cells whose events are shown with what is true at them.
    """
    seen_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [_INTRODUCTION, f"Seen with {seen_with}.", ""]
    parts += ["## What each end was told", *_markdown_outcomes(cells)]
    if true_in:
        parts += ["", "## What is true at each event"]
    for cell in true_in:
        for end in End:
            parts += ["", *_markdown_truth(cell, end)]
    parts += ["", "## In which order"]
    for scenario, ours in by_scenario(cells).items():
        parts += ["", f"### {scenario}", "", sentences.get(scenario, "")]
        for group in grouped(ours, lambda cell: tuple(cell.orders)):
            parts += ["", f"**{group.where}**", ""]
            for number, order in enumerate(group.first.orders):
                if number:
                    parts += ["", "or, as this is a race:", ""]
                parts += [f"- {name}: {THEN.join(seen)}" for name, seen in parts_of(order)]
    for why, names in not_seen(cells).items():
        parts += ["", f"Not seen, as {why}: {'; '.join(names)}."]
    return "\n".join(parts) + "\n"


def _markdown_outcomes(cells: Sequence[Observation]) -> Iterator[str]:
    yield ""
    yield "| way | where | server | client |"
    yield "|---|---|---|---|"
    for scenario, ours in by_scenario(cells).items():
        for number, group in enumerate(grouped(ours, outcome_of)):
            server, client = outcome_of(group.first)
            yield f"| {'' if number else scenario} | {group.where} | {server} | {client} |"


def _markdown_truth(cell: Observation, end: End) -> Iterator[str]:
    yield f"{end.value}, {cell.mode}, TLS {cell.tls}, {cell.scenario}:"
    yield ""
    yield f"| event | {' | '.join(HEADINGS)} |"
    yield "|---|---|---|---|---|"
    for event in cell.traces[0].marks(end):
        yield f"| {_event(event)} | {' | '.join(truth(event))} |"


def _event(event: Event) -> str:
    state = event.facts.get("state")
    return event.name if state is None else f"*{state}*"


def truth(event: Event) -> list[str]:
    """Return what is true at an event, a word each; all empty where nothing is known yet."""
    if "peer" not in event.facts:
        return ["" for _ in STATES]
    return [_word(event.facts[state]) for state in STATES]


def _word(fact: object) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return str(fact) if fact else "none"
