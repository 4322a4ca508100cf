"""What the text, Markdown and HTML forms of the event matrix have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tlsdemo.trace.model import End, Trace, seen_from
from tlsdemo.trace.observation import EventSequences, Observation, Outcome

THEN = " → "
"""What stands between two events of a sequence."""

RACE = "or, because this is a race:"
"""What stands before the second of several event sequences."""


@dataclass(frozen=True)
class EventMatrix:
    """The observations of ``tlsdemo events``, with what a report of them needs.

    ``descriptions`` has a sentence for each scenario, ``versions`` the version of each library and
    program that took part.
    """

    cells: Sequence[Observation]
    descriptions: Mapping[str, str]
    versions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the cells and the versions for JSON."""
        return {
            "versions": dict(self.versions),
            "cells": [cell.as_json() for cell in self.cells],
        }

    def traces(self) -> list[Trace]:
        """Return the first trace of each cell that has one, with the versions as facts."""
        traces = [cell.traces[0] for cell in self.cells if cell.traces]
        for trace in traces:
            trace.facts.update(self.versions)
        return traces


def traces_of(matrix: Mapping[str, Any]) -> list[Trace]:
    """Return the traces of a matrix in the form of :meth:`EventMatrix.as_json`."""
    return [
        Trace(
            f"{cell['mode']}, TLS {cell['tls']}, {cell['way']}",
            {**{name: cell[name] for name in ("mode", "tls", "way")}, **matrix["versions"]},
            [seen_from(fields) for fields in cell["trace"]],
        )
        for cell in matrix["cells"]
        if "trace" in cell
    ]


def outcomes_of(cell: Observation) -> tuple[Outcome, Outcome]:
    """Return the outcome on the server and on the client."""
    return cell.outcome(End.SERVER), cell.outcome(End.CLIENT)


def lifelines_of(sequences: EventSequences) -> Iterator[tuple[str, Sequence[str]]]:
    """Return a title and the labels for each end and for each direction on the wire."""
    yield "server", sequences.server
    yield "client", sequences.client
    for end in End:
        sent = [each.partition(" ")[2] for each in sequences.wire if each.startswith(end.value)]
        yield f"sent by the {end.value}", merge_repeated(sent)


def merge_repeated(names: Sequence[str]) -> list[str]:
    """Replace a name that is repeated in a row by one with the number of times."""
    runs = ((name, len(list(same))) for name, same in groupby(names))
    return [name if count == 1 else f"{name} ({count} times)" for name, count in runs]
