"""Sequence diagrams as text, for a terminal or a file: readable at 80 columns without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest

from tlsdemo.printable import printable
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
from tlsdemo.reporting.sequence_rows import Fold, Gap, Step, differences, rows
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.observation import STATE

NARROWEST = 36
"""The minimum width of a diagram in columns."""

_SIDE_BY_SIDE = 60
"""The columns that each of several diagrams needs for them to be drawn side by side."""

WIDEST = 110
"""The maximum width of a diagram in columns: longer arrows are not easier to read."""

_BETWEEN = "    "
_TIME = 10
_BEGINS = {False: "├┤", True: "╞╡"}
_ONLY_HERE = "◆"
_FOLDED = "○"
_WAITING = "║"
_STATE_SYMBOLS = {StateValue.NO: "·", StateValue.UNKNOWN: "?"}


def text(traces: Sequence[Trace], width: int = 80) -> str:
    """Return the diagrams of ``traces``, side by side if they fit into ``width`` columns."""
    count = len(traces)
    each = (width - len(_BETWEEN) * (count - 1)) // count
    side_by_side = each >= _SIDE_BY_SIDE
    each = min(max(each if side_by_side else width, NARROWEST), WIDEST)
    drawing = _Drawing(each)
    heads = [list(drawing.head(trace)) for trace in traces]
    only_here = differences(traces)
    bodies = [
        list(drawing.body(trace, numbers)) for trace, numbers in zip(traces, only_here, strict=True)
    ]
    if side_by_side:
        lines = [*_side_by_side(heads, each), "", *_side_by_side(bodies, each), ""]
    else:
        pairs = zip(heads, bodies, strict=True)
        lines = [line for head, body in pairs for line in (*head, "", *body, "")]
    return "\n".join([*lines, *_legend(traces, any(only_here), each)]) + "\n"


def bare(trace: Trace, width: int = 80) -> list[str]:
    """Return the lines of a diagram without times and sizes, which differ from run to run."""
    return [line.rstrip() for line in _Drawing(width, measures=False).body(trace)]


def trace_list(traces: Mapping[int, Trace]) -> str:
    """Return a list of traces, a line each: the number, the title and the number of rows."""
    return "".join(
        f"{number:>6}  {printable(trace.title)}  ({len(trace.seen):,} rows)\n"
        for number, trace in traces.items()
    )


def _side_by_side(columns: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    for row in zip_longest(*columns, fillvalue=""):
        yield _BETWEEN.join(line.ljust(width) for line in row).rstrip()


def _legend(traces: Sequence[Trace], differ: bool, width: int) -> Iterator[str]:
    symbols = "● an event, ─▶ plaintext, ═▶ encrypted, B bytes including the header"
    if differ:
        symbols += f", {_ONLY_HERE} only in this diagram"
    marks = [mark for trace in traces for mark in trace.seen if isinstance(mark, Mark)]
    if any(mark.event.name == STATE for mark in marks):
        symbols += f", {_FOLDED} folded"
    if any(mark.event.name == "handshakeCompleted" for mark in marks):
        symbols += f", {_WAITING} handshake completed, not yet secure"
    yield from textwrap.wrap(symbols, width)
    if any(states(mark.event) for mark in marks):
        letters = ", ".join(f"{state.letter} {state.meaning}" for state in STATES)
        rest = f"[{''.join(state.letter for state in STATES)}]  {letters}; · no, ? unknown"
        yield from textwrap.wrap(rest, width, subsequent_indent=" " * 8)


class _Drawing:
    """Draws in ``width`` columns: the time, and two lifelines with what is between them.

    Without ``measures``, the time and the sizes of records are left away.
    """

    def __init__(self, width: int, measures: bool = True) -> None:
        self._width = width
        self._measures = measures
        self._indent = _TIME + 2 if measures else 0
        self._inside = width - self._indent - 2

    def head(self, trace: Trace) -> Iterator[str]:
        """Return the lines above a diagram: title, facts and summary."""
        yield from textwrap.wrap(printable(trace.title), self._width)
        line = ""
        for key, value in trace.facts.items():
            fact = f"{printable(key)}: {fact_text(value)}"
            if line and len(line) + len(fact) + 3 > self._width:
                yield line
                line = ""
            line = f"{line}   {fact}" if line else fact
        yield from textwrap.wrap(line, self._width)
        yield from textwrap.wrap(summary(trace), self._width)

    def body(self, trace: Trace, only_here: Collection[int] = ()) -> Iterator[str]:
        """Return the lines of the diagram itself; steps in ``only_here`` are marked."""
        unit = f"{'ms':>{_TIME}}  " if self._measures else ""
        yield f"{unit}client" + "server".rjust(self._inside - 4)
        yield self._line("", "┬", " " * self._inside, "┬")
        for row in rows(trace, only_here):
            if isinstance(row, Gap):
                yield self._line("", "┊", f" {row} ".center(self._inside, "┈"), "┊")
                continue
            step = row.first if isinstance(row, Fold) else row
            if isinstance(row, Fold):
                drawn = self._label(row.end, str(row), _FOLDED)
            elif isinstance(row.seen, Mark):
                drawn = self._mark(row, row.seen)
            else:
                drawn = self._arrow(row, row.seen)
            time = milliseconds(step.at)
            for left, middle, right in drawn:
                yield self._line(
                    time,
                    _WAITING if left == "│" and End.CLIENT in step.waiting else left,
                    middle,
                    _WAITING if right == "│" and End.SERVER in step.waiting else right,
                )
                time = ""
        yield self._line("", "┴", " " * self._inside, "┴")

    def _line(self, time: str, left: str, middle: str, right: str) -> str:
        before = f"{time:>{_TIME}}".ljust(self._indent) if self._measures else ""
        return f"{before}{left}{middle}{right}"

    def _mark(self, step: Step, mark: Mark) -> Iterator[tuple[str, str, str]]:
        event = mark.event
        letters = "".join(
            state.letter if value is StateValue.YES else _STATE_SYMBOLS[value]
            for state, value in states(event)
        )
        parts = [printable(event.name), f"[{letters}]" if letters else "", *step.details]
        label = "  ".join(filter(None, parts))
        yield from self._label(mark.end, label, _ONLY_HERE if step.only_here else "●")

    def _label(self, end: End, label: str, symbol: str) -> Iterator[tuple[str, str, str]]:
        for number, line in enumerate(textwrap.wrap(label, self._inside - 4) or [""]):
            symbol = "│" if number else symbol
            if end is End.CLIENT:
                yield symbol, f" {line}".ljust(self._inside), "│"
            else:
                yield "│", f"{line} ".rjust(self._inside), symbol

    def _arrow(self, step: Step, arrow: Arrow) -> Iterator[tuple[str, str, str]]:
        record = arrow.record
        only_here = _ONLY_HERE if step.only_here else ""
        size = f"{record.length:,} B" if self._measures else ""
        label = " ".join(filter(None, [only_here, kind_name(record), content_text(record), size]))
        whole = arrow.fate is Fate.PASSED
        width = self._inside if whole else self._inside // 2
        if len(label) > width - 5:
            # A label that does not fit into the arrow is written above it.
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
    text = f" {label} " if label else ""
    if arrow.sender is End.CLIENT:
        head = "✕" if arrow.fate is Fate.DROPPED else "▶"
        return (begins + text).ljust(width - 1, line) + head
    head = "✕" if arrow.fate is Fate.DROPPED else "◀"
    return head + (text + begins).rjust(width - 1, line)
