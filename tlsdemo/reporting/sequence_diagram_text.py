"""Waterfalls as text, for a terminal or a file: readable at 80 columns and without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from tlsdemo.reporting.sequence_diagram import (
    STATES,
    Gap,
    Known,
    kind_name,
    messages,
    moment,
    printable,
    rows,
    states,
    summary,
    written,
)
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace

NARROWEST = 60
"""Columns that a waterfall takes at least; with room for two of these they are side by side."""

WIDEST = 110
"""Columns that a waterfall takes at most: longer arrows are not easier to read."""

_BETWEEN = "    "
_TIME = 10
_BEGINS = {False: "├┤", True: "╞╡"}
_STATE_SIGNS = {Known.NO: "·", Known.UNTOLD: "?"}


def text(traces: Sequence[Trace], width: int = 80) -> str:
    """Return ``traces`` side by side if ``width`` columns allow, otherwise one below the other."""
    count = len(traces)
    each = (width - len(_BETWEEN) * (count - 1)) // count
    beside = each >= NARROWEST
    each = min(max(each if beside else width, NARROWEST), WIDEST)
    drawing = _Drawing(each)
    heads = [list(drawing.head(trace)) for trace in traces]
    bodies = [list(drawing.body(trace)) for trace in traces]
    if beside:
        lines = [*_beside(heads, each), "", *_beside(bodies, each), ""]
    else:
        pairs = zip(heads, bodies, strict=True)
        lines = [line for head, body in pairs for line in (*head, "", *body, "")]
    return "\n".join([*lines, *_legend(traces, each)]) + "\n"


def _beside(columns: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    for row in zip_longest(*columns, fillvalue=""):
        yield _BETWEEN.join(line.ljust(width) for line in row).rstrip()


def _legend(traces: Sequence[Trace], width: int) -> Iterator[str]:
    signs = "● an event, ─▶ in the clear, ═▶ encrypted, B bytes with the header"
    yield from textwrap.wrap(signs, width)
    marks = [mark for trace in traces for mark in trace.seen if isinstance(mark, Mark)]
    if any(states(mark.event) for mark in marks):
        letters = ", ".join(f"{state.letter} {state.meaning}" for state in STATES)
        rest = f"[{''.join(state.letter for state in STATES)}]  {letters}; · not so, ? not told"
        yield from textwrap.wrap(rest, width, subsequent_indent=" " * 8)


class _Drawing:
    """Draws in ``width`` columns: the time, and two lifelines with what is between them."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._inside = width - _TIME - 4

    def head(self, trace: Trace) -> Iterator[str]:
        """Return the lines above a waterfall: what it is of."""
        yield from textwrap.wrap(printable(trace.title), self._width)
        line = ""
        for key, value in trace.facts.items():
            fact = f"{printable(key)}: {written(value)}"
            if line and len(line) + len(fact) + 3 > self._width:
                yield line
                line = ""
            line = f"{line}   {fact}" if line else fact
        yield from textwrap.wrap(line, self._width)
        yield from textwrap.wrap(summary(trace), self._width)

    def body(self, trace: Trace) -> Iterator[str]:
        """Return the lines of a waterfall itself."""
        yield f"{'ms':>{_TIME}}  client" + "server".rjust(self._inside - 4)
        yield self._line("", "┬", " " * self._inside, "┬")
        for row in rows(trace):
            if isinstance(row, Gap):
                yield self._line("", "┊", f" {row} ".center(self._inside, "┈"), "┊")
                continue
            time = moment(row.at)
            if isinstance(row.seen, Mark):
                drawn = self._mark(row.seen, row.details)
            else:
                drawn = self._arrow(row.seen)
            for left, middle, right in drawn:
                yield self._line(time, left, middle, right)
                time = ""
        yield self._line("", "┴", " " * self._inside, "┴")

    def _line(self, time: str, left: str, middle: str, right: str) -> str:
        return f"{time:>{_TIME}}  {left}{middle}{right}"

    def _mark(self, mark: Mark, details: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        event = mark.event
        signs = "".join(
            state.letter if how is Known.YES else _STATE_SIGNS[how] for state, how in states(event)
        )
        parts = [printable(event.name), f"[{signs}]" if signs else "", *details]
        words = "  ".join(filter(None, parts))
        for number, line in enumerate(textwrap.wrap(words, self._inside - 4) or [""]):
            sign = "│" if number else "●"
            if mark.end is End.CLIENT:
                yield sign, f" {line}".ljust(self._inside), "│"
            else:
                yield "│", f"{line} ".rjust(self._inside), sign

    def _arrow(self, arrow: Arrow) -> Iterator[tuple[str, str, str]]:
        record = arrow.record
        label = " ".join(
            filter(None, [kind_name(record), messages(record), f"{record.length:,} B"])
        )
        whole = arrow.fate is Fate.PASSED
        width = self._inside if whole else self._inside // 2
        if len(label) > width - 5:
            # What does not fit into the arrow is written above it.
            for line in textwrap.wrap(label, self._inside - 4):
                yield "│", line.center(self._inside), "│"
            label = ""
        to_right = arrow.sender is End.CLIENT
        middle = _shaft(arrow, label, width)
        if not whole:
            rest = self._inside - width
            if to_right is (arrow.fate is Fate.DROPPED):
                middle += f" {arrow.fate.value}".ljust(rest)
            else:
                middle = f"{arrow.fate.value} ".rjust(rest) + middle
        left, right = "│", "│"
        if arrow.fate is not Fate.INJECTED:
            left, right = (
                (_BEGINS[record.encrypted][0], right)
                if to_right
                else (left, _BEGINS[record.encrypted][1])
            )
        yield left, middle, right


def _shaft(arrow: Arrow, label: str, width: int) -> str:
    line = "═" if arrow.record.encrypted else "─"
    begins = "○" if arrow.fate is Fate.INJECTED else line
    words = f" {label} " if label else ""
    if arrow.sender is End.CLIENT:
        head = "✕" if arrow.fate is Fate.DROPPED else "▶"
        return (begins + words).ljust(width - 1, line) + head
    head = "✕" if arrow.fate is Fate.DROPPED else "◀"
    return head + (words + begins).rjust(width - 1, line)
