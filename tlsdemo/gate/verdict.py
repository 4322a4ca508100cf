"""The verdict on one candidate, as text, JSON, JUnit XML and annotations of GitHub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from tlsdemo.gate.changes import Change
from tlsdemo.gate.further_reading import read_on
from tlsdemo.printable import printable

MOST_SHOWN = 12
"""How many changes are shown as text and as annotations; JSON and JUnit XML have all of them."""

_LONGEST = 2000


@dataclass(frozen=True)
class Verdict:
    """What has changed with one candidate.

    Attributes:
        name: What the user calls the candidate.
        here: The installed versions.
        there: The candidate's.
        changes: What has changed and has not been accepted, and failures.
        accepted: What has changed and has been accepted.
        how: How to accept what has changed.
    """

    name: str
    here: Mapping[str, str]
    there: Mapping[str, str]
    changes: Sequence[Change]
    accepted: Sequence[Change]
    how: str

    @property
    def changed(self) -> list[Change]:
        """What has changed and has not been accepted."""
        return [each for each in self.changes if not each.is_failure]

    @property
    def problem(self) -> str:
        """What has failed and why, in one line; empty if nothing has."""
        problems = [each for each in self.changes if each.is_failure]
        if not problems:
            return ""
        more = f" (and on {len(problems) - 1} more)" if problems[1:] else ""
        first = problems[0]
        why = printable(first.problem, _LONGEST)
        return f"{self.name}: no verdict on the finding {first.what}{more}: {why}"

    def headline(self) -> str:
        """Return how many changes there are, and which versions differ."""
        count = len(self.changed)
        moved = [
            f"{name} {text} → {self.there.get(name)}"
            for name, text in self.here.items()
            if self.there.get(name) != text
        ]
        noun = "thing that an application can notice changes" if count == 1 else (
            "things that an application can notice change"
        )  # fmt: skip
        return f"{count} {noun} with {self.name} ({', '.join(moved) or 'no version differs'})"

    def lines(self) -> Iterator[str]:
        """Return the headline, then three lines for each change; nothing without changes."""
        if not self.changed:
            return
        yield f"{self.headline()}:"
        for change in self.changed[:MOST_SHOWN]:
            yield ""
            yield from self._three_lines(change)
        if len(self.changed) > MOST_SHOWN:
            yield ""
            yield f"{len(self.changed) - MOST_SHOWN} more; --json or --junit writes all to a file."

    def _three_lines(self, change: Change) -> list[str]:
        where = read_on(change, self.here, self.there)
        return [
            f"{change.part}, {printable(change.sentence(), _LONGEST)}",
            f"  read on: {where}",
            f"  accept:  {printable(self.how)}",
        ]

    def as_json(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {
            "name": self.name,
            "versions": {"here": dict(self.here), "there": dict(self.there)},
            "changes": [self._fields(change) for change in self.changes],
            "accepted": [self._fields(change) for change in self.accepted],
        }

    def _fields(self, change: Change) -> dict[str, Any]:
        return {
            "part": change.part, "what": change.what, "baseline": change.baseline,
            "candidate": change.candidate, "cells": list(change.cells),
            "observed": list(change.observed), "problem": change.problem,
            "read_on": read_on(change, self.here, self.there), "change": change.key,
        }  # fmt: skip

    def annotations(self) -> Iterator[str]:
        """Return all of it as workflow commands of GitHub Actions, one line each."""
        title = _property(f"tlsdemo gate: {self.name}")
        for change in self.changed[:MOST_SHOWN]:
            text = "\n".join(self._three_lines(change))
            yield f"::error title={title}::{_data(text)}"
        if self.problem:
            yield f"::error title={title}::{_data(self.problem)}"
        if len(self.changed) > MOST_SHOWN:
            yield f"::error title={title}::{_data(self.headline())}"

    def suite(self) -> ElementTree.Element:
        """Return a test suite of JUnit XML, with a failed test for each change."""
        tests = [*self.changes, *self.accepted]
        suite = ElementTree.Element(
            "testsuite", name=f"tlsdemo gate: {printable(self.name)}", tests=str(len(tests) or 1),
            failures=str(len(self.changed)), skipped=str(len(self.accepted)),
            errors=str(len(self.changes) - len(self.changed)),
        )  # fmt: skip
        for change in tests:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"tlsdemo.gate.{change.part}",
                name=printable(change.what + "".join(f", {cell}" for cell in change.cells[:1])),
            )  # fmt: skip
            if change.is_failure:
                ElementTree.SubElement(case, "error", message=printable(change.problem, _LONGEST))
            elif change in self.changes:
                text = "\n".join(self._three_lines(change))
                failure = ElementTree.SubElement(case, "failure", message=text.partition("\n")[0])
                failure.text = text
            else:
                ElementTree.SubElement(case, "skipped", message="accepted")
        if not tests:
            ElementTree.SubElement(
                suite, "testcase", classname="tlsdemo.gate", name="nothing has changed"
            )
        return suite


def junit(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as a file of JUnit XML."""
    suites = ElementTree.Element("testsuites")
    suites.extend(verdict.suite() for verdict in verdicts)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
