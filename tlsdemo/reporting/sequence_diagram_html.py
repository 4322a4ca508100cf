"""Sequence diagrams as one self-contained HTML page: no scripts, fonts or images.

Each row is an item of an ordered list, with a sentence for screen readers, which skip the drawing
(``aria-hidden``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from tlsdemo.printable import printable
from tlsdemo.reporting.html_page import html_page, html_text
from tlsdemo.reporting.page_files import data_file
from tlsdemo.reporting.sequence_diagram import (
    STATES,
    StateValue,
    content_text,
    fact_text,
    kind_name,
    milliseconds,
    states,
    summary,
)
from tlsdemo.reporting.sequence_rows import Fold, Gap, Row, Step, description, differences, rows
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event

TITLE = "TLS, seen from both ends"

DECISIVE_EVENTS: Mapping[str, str] = {"secure": "good", "confirmed": "good", "insecure": "bad"}
"""The events that decide the outcome of a connection, and the CSS class of each."""

_LOCK = (
    '<svg viewBox="0 0 18 20"><path d="M3 9h12v9H3zM5.5 9V6a3.5 3.5 0 0 1 7 0v3" fill="none" '
    'stroke="currentColor" stroke-width="2.4" stroke-linejoin="round"/></svg>'
)


def page(traces: Sequence[Trace]) -> str:
    """Return a page with the diagrams of ``traces``, side by side in a wide window."""
    title = printable(traces[0].title) if len(traces) == 1 else TITLE
    skip = '<a class="skip" href="#c1">Skip to the connection</a>\n'
    return html_page(title, data_file("sequence_diagram.css"), skip + diagrams(traces))


def diagrams(traces: Sequence[Trace]) -> str:
    """Return the body of such a page: a legend, and the diagrams."""
    only_here = differences(traces)
    drawn = "".join(
        line
        for number, (trace, steps) in enumerate(zip(traces, only_here, strict=True), 1)
        for line in _trace(number, trace, steps)
    )
    several = " several" if len(traces) > 1 else ""
    return (
        f'<header class="top{several}">\n<h1>{TITLE}</h1>\n'
        '<p class="lead">Time runs downwards. Each mark on a lifeline is an event on that end, '
        "each arrow a record on the wire between the two.</p>\n"
        f"{''.join(_legend(traces, any(only_here)))}</header>\n"
        f'<main class="traces{several}">\n{drawn}</main>\n'
    )


def _legend(traces: Sequence[Trace], differ: bool) -> Iterator[str]:
    seen = [each for trace in traces for each in trace.seen]
    records = [each.record for each in seen if isinstance(each, Arrow)]
    events = [each.event for each in seen if isinstance(each, Mark)]
    yield '<ul class="legend" aria-label="Legend">\n'
    for kind in Kind:
        of_kind = [record for record in records if record.kind is kind]
        if of_kind:
            yield (
                f'<li class="{kind.value}">{_shaft(End.CLIENT, Fate.PASSED)}'
                f"{html_text(kind_name(of_kind[0]))}</li>\n"
            )
    if any(record.encrypted for record in records):
        yield f'<li><span class="label" aria-hidden="true">{_LOCK}</span>encrypted</li>\n'
    if any(states(event) for event in events):
        for state in STATES:
            yield (
                f'<li><span class="states"><i class="yes">{state.letter}</i></span>'
                f"{html_text(state.meaning)}</li>\n"
            )
        yield '<li><span class="states" aria-hidden="true"><i>P</i></span>crossed out: no</li>\n'
    if any(event.name == "handshakeCompleted" for event in events):
        yield '<li><span class="wait" aria-hidden="true"></span>'
        yield "handshake completed, not yet secure</li>\n"
    if differ:
        yield '<li><span class="sample" aria-hidden="true"></span>only in this diagram</li>\n'
    yield "</ul>\n"


def _trace(number: int, trace: Trace, only_here: Collection[int]) -> Iterator[str]:
    name = f"c{number}"
    yield f'<article class="trace" id="{name}" aria-labelledby="{name}-title">\n'
    yield f'<h2 id="{name}-title">{html_text(trace.title)}</h2>\n'
    if trace.facts:
        yield '<dl class="facts">\n'
        for key, value in trace.facts.items():
            what = f"<dt>{html_text(key)}</dt><dd>{html_text(fact_text(value))}</dd>"
            yield f"<div>{what}</div>\n"
        yield "</dl>\n"
    yield f'<p class="summary">{html_text(summary(trace))}</p>\n'
    yield (
        '<div class="ends" aria-hidden="true"><span class="unit">ms</span><div class="lane">'
        '<b class="client">client</b><b class="server">server</b></div></div>\n'
    )
    yield '<ol class="rows" role="list">\n'
    for row in rows(trace, only_here):
        yield _row(name, row)
    yield "</ol>\n</article>\n"


def _row(name: str, row: Row) -> str:
    if isinstance(row, Gap):
        return _gap(row)
    return _fold(name, row) if isinstance(row, Fold) else _step(name, row)


def _fold(name: str, fold: Fold) -> str:
    names = "".join(f"<li>{html_text(each)}</li>" for each in fold.names)
    return (
        f'<li class="row event fold{_classes(fold.first)}" id="{name}-{fold.first.number}">'
        f"{_time(name, fold.first)}"
        '<div class="lane" aria-hidden="true"></div>'
        f'<div class="mark {fold.end.value}"><details><summary>'
        f'<span class="visually-hidden">{fold.end.value}: </span>{html_text(str(fold))}</summary>'
        f"<ul>{names}</ul></details></div></li>\n"
    )


def _gap(gap: Gap) -> str:
    return f'<li class="gap"><div class="lane"><span>{html_text(str(gap))}</span></div></li>\n'


def _step(name: str, step: Step) -> str:
    if isinstance(step.seen, Mark):
        what, drawn = "event", _mark(step.seen, step.details)
    else:
        what, drawn = "record", _arrow(step.seen)
    sentence = ("only in this diagram; " if step.only_here else "") + description(step)
    return (
        f'<li class="row {what}{_classes(step)}" id="{name}-{step.number}">{_time(name, step)}'
        f'<span class="visually-hidden">{html_text(sentence)}</span>{drawn}</li>\n'
    )


def _time(name: str, step: Step) -> str:
    time = milliseconds(step.at)
    link = f'<a href="#{name}-{step.number}" aria-label="at {time} milliseconds">{time}</a>'
    return f'<span class="time">{link}</span>'


def _classes(step: Step) -> str:
    """Return the CSS classes of a row that depend on what is before and beside it."""
    classes = [f"s{step.space}"] if step.space else []
    classes += [f"waiting-{end.value}" for end in End if end in step.waiting]
    classes += ["only-here"] if step.only_here else []
    return "".join(f" {each}" for each in classes)


def _mark(mark: Mark, details: Sequence[str]) -> str:
    event = mark.event
    name = f'<b class="name">{html_text(event.name)}</b>'
    more = "".join(f"<span>{html_text(each)}</span>" for each in details)
    outcome = f" {DECISIVE_EVENTS[event.name]}" if event.name in DECISIVE_EVENTS else ""
    return (
        '<div class="lane" aria-hidden="true"></div>'
        f'<div class="mark {mark.end.value}{outcome}" aria-hidden="true">'
        f'<div class="line">{name}{_states(event)}</div>'
        + (f'<div class="line more">{more}</div>' if more else "")
        + "</div>"
    )


def _states(event: Event) -> str:
    values = states(event)
    if not values:
        return ""
    classes = {
        StateValue.YES: ' class="yes"',
        StateValue.NO: "",
        StateValue.UNKNOWN: ' class="unknown"',
    }
    return (
        '<span class="states">'
        + "".join(
            f'<i{classes[value]} title="{html_text(state.meaning)}: {value.value}">'
            f"{'' if value is StateValue.UNKNOWN else state.letter}</i>"
            for state, value in values
        )
        + "</span>"
    )


def _arrow(arrow: Arrow) -> str:
    record = arrow.record
    content = content_text(record)
    parts = [
        _LOCK if record.encrypted else "",
        f"<b>{html_text(kind_name(record))}</b>",
        f"<code>{html_text(content)}</code>" if content else "",
        f'<span class="size">{record.length:,} B</span>',
        "" if arrow.fate is Fate.PASSED else f'<span class="fate">{arrow.fate.value}</span>',
    ]
    header = (
        f' title="version in the header: {html_text(record.version)}"' if record.version else ""
    )
    return (
        f'<div class="lane" aria-hidden="true"><div class="arrow {record.kind.value}"{header}>'
        f'<div class="label">{"".join(parts)}</div>{_shaft(arrow.sender, arrow.fate)}</div></div>'
    )


def _shaft(sender: End, fate: Fate) -> str:
    to_right = sender is End.CLIENT
    begin, end = ("0", "100%") if to_right else ("100%", "0")
    if fate is Fate.DROPPED:
        end = "50%"
        head = '<path d="M-5 1L5 11M-5 11L5 1"/>'
    else:
        points = "M-9 1.5L-1 6L-9 10.5Z" if to_right else "M9 1.5L1 6L9 10.5Z"
        head = f'<path class="head" d="{points}"/>'
    start = ""
    if fate is Fate.INJECTED:
        begin = "50%"
        start = '<circle cx="50%" cy="6" r="4" class="head"/>'
    return (
        '<svg class="shaft" aria-hidden="true">'
        f'<line class="line" x1="{begin}" x2="{end}" y1="6" y2="6"/>{start}'
        f'<svg x="{end}" overflow="visible">{head}</svg></svg>'
    )
