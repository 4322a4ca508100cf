"""The matrix of events as one HTML page that needs nothing else, in the style of the waterfalls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from tlsdemo.reporting.event_matrix import THEN, outcome_of, parts_of
from tlsdemo.reporting.grouping import by_scenario, grouped, not_seen
from tlsdemo.reporting.sequence_diagram_style import STYLE
from tlsdemo.trace.observation import EventSequences, Observation

_TITLE = "What fires when"

_RULES = """
main{max-width:92rem;margin:0 auto}
section{background:var(--card);border:1px solid var(--rule);border-radius:12px;
  padding:1rem clamp(.55rem,1.6vw,1.3rem);margin:0 0 1rem}
section>p{color:var(--muted);margin:.2rem 0 .7rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;overflow-wrap:anywhere;
  border-top:1px solid var(--rule)}
thead th{color:var(--muted);font-weight:400;border:0}
td.server{color:var(--server)}td.client{color:var(--client)}
details{margin-top:.5rem;border-top:1px solid var(--rule);padding-top:.5rem}
summary{cursor:pointer;font-size:.9rem}
details p{margin:.6rem 0 .2rem;font-weight:600;font-size:.9rem}
dl.order{font-size:.86rem}
dl.order dt{color:var(--muted);margin-top:.4rem}
dl.order dd{overflow-wrap:anywhere}
nav ul{columns:16rem;list-style:none;font-size:.9rem;margin-top:.8rem;padding:0}
@media (max-width:40rem){thead{display:none}tr,td,th{display:block;border:0;padding:.1rem 0}
  tr{border-top:1px solid var(--rule);padding:.4rem 0}
  td[data-of]::before{content:attr(data-of) ": ";color:var(--muted)}}
@media print{section{border:0;padding:0;break-inside:avoid}nav{display:none}}
"""


def matrix_page(
    cells: Sequence[Observation], sentences: Mapping[str, str], versions: Mapping[str, str]
) -> str:
    """Return the page: for each way what each end was told, and in which order."""
    scenarios = by_scenario(cells)
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(version)}</dd></div>"
        for name, version in versions.items()
    )
    links = "".join(
        f'<li><a href="#w{number}">{escape(scenario)}</a></li>'
        for number, scenario in enumerate(scenarios, 1)
    )
    shown = "".join(
        part
        for number, (scenario, ours) in enumerate(scenarios.items(), 1)
        for part in _scenario(number, scenario, sentences.get(scenario, ""), ours)
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_TITLE}</title>\n<style>{STYLE}{_RULES}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#w1">Skip to the first way</a>\n'
        f'<header class="top">\n<h1>{_TITLE}</h1>\n<p class="lead">For every way that a connection '
        "can go: what each end was told, and in which order.</p>\n"
        f'<dl class="facts">{facts}</dl>\n'
        f'<nav aria-label="Ways"><ul>{links}</ul></nav>\n</header>\n'
        f"<main>\n{shown}{''.join(_not_seen(cells))}</main>\n</body>\n</html>\n"
    )


def _scenario(
    number: int, scenario: str, sentence: str, cells: Sequence[Observation]
) -> Iterator[str]:
    yield f'<section id="w{number}" aria-labelledby="w{number}-title">\n'
    yield f'<h2 id="w{number}-title">{escape(scenario)}</h2>\n<p>{escape(sentence)}</p>\n'
    yield f"<table><caption>{escape(scenario)}: what each end was told</caption>\n<thead><tr>"
    yield '<th scope="col">where</th><th scope="col">server</th><th scope="col">client</th>'
    yield "</tr></thead>\n<tbody>\n"
    for group in grouped(cells, outcome_of):
        server, client = outcome_of(group.first)
        yield f'<tr><th scope="row">{escape(group.where)}</th>'
        yield f'<td class="server" data-of="server">{escape(server)}</td>'
        yield f'<td class="client" data-of="client">{escape(client)}</td></tr>\n'
    yield "</tbody></table>\n<details><summary>In which order</summary>\n"
    for group in grouped(cells, lambda cell: tuple(cell.orders)):
        yield f"<p>{escape(group.where)}</p>\n"
        for again, order in enumerate(group.first.orders):
            yield "<p>or, as this is a race:</p>\n" if again else ""
            yield _order(order)
    yield "</details>\n</section>\n"


def _order(order: EventSequences) -> str:
    parts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(THEN.join(seen))}</dd>"
        for name, seen in parts_of(order)
    )
    return f'<dl class="order">{parts}</dl>\n'


def _not_seen(cells: Sequence[Observation]) -> Iterator[str]:
    reasons = not_seen(cells)
    if reasons:
        yield '<section aria-labelledby="none"><h2 id="none">Not seen</h2>\n<ul>\n'
        for why, names in reasons.items():
            yield f"<li>{escape(why)}: {escape('; '.join(names))}</li>\n"
        yield "</ul></section>\n"
