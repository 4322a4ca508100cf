"""A pin: what a protocol was told and what it sent, kept in a file and compared with what is seen.

A file is JSON with a line for each event and each record, so that a difference between two versions
of the file can be read.  It has no times but those of a clock in memory, and no sizes.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tlsdemo.reporting.sequence_diagram_text import bare
from tlsdemo.tls import versions
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace, fields_of, seen_from
from tlsdemo.trace.observation import wire_label

FORMAT = 1
"""The version of the format of a file."""

UPDATE = "TLSDEMO_UPDATE_PINS"
"""The environment variable with which pins are written anew."""

_HOW = f"run the tests with {UPDATE}=1, or pytest with --update-pins"
_ANEW = f"to write it anew, {_HOW}"

_DEFAULTS = {
    "at": 0.0, "length": 0, "version": "", "messages": [], "encrypted": False,
    "fate": Fate.PASSED.value, "facts": {},
}  # fmt: skip


class BadPin(Exception):
    """A file is no pin, or cannot be one; the text names the file and the problem."""


@dataclass(frozen=True)
class Pin:
    """What was seen, and with which versions.

    Attributes:
        trace: The events of both ends and the records.  Its fact ``pinned`` is the pinned end.
        versions: Those of the libraries, by name; they are shown, and not compared.
    """

    trace: Trace
    versions: Mapping[str, str] = field(default_factory=versions)

    def lifelines(self) -> dict[str, list[str]]:
        """Return what is compared: the events of both ends, and the records of the pinned end.

        The order between them is not: on a socket it depends on timing.
        """
        pinned = End(self.trace.facts["pinned"])
        sent = [each for each in self.trace.arrows() if each.sender is pinned]
        texts = self.texts()
        return {
            "what it was told": texts[pinned],
            "what it sent": [wire_label(arrow) for arrow in sent],
            "what its peer saw": texts[pinned.other],
        }

    def texts(self) -> dict[End, list[str]]:
        """Return the events of each end as texts, with their facts."""
        return {end: [_text(mark) for mark in self.trace.seen if _is_of(mark, end)] for end in End}

    def differing(self, other: Pin) -> list[str]:
        """Return the names of the lifelines that differ."""
        theirs = other.lifelines()
        return [name for name, each in self.lifelines().items() if each != theirs[name]]

    # Its file.

    def write(self, path: Path) -> None:
        """Write the file, and its folder.

        Raises:
            BadPin: If it cannot be written.
        """
        lines = [json.dumps(_fields(seen), ensure_ascii=False) for seen in self.trace.in_order()]
        head = {
            "pin": FORMAT, "scenario": self.trace.title, **self.trace.facts,
            "versions": dict(self.versions),
        }  # fmt: skip
        text = ",\n".join([json.dumps(head, ensure_ascii=False)[:-1], ' "seen": [\n  '])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + ",\n  ".join(lines) + "\n]}\n", encoding="utf-8")
        except OSError as problem:
            raise BadPin(f"{path} cannot be written: {problem.strerror}") from None

    @classmethod
    def read(cls, path: Path) -> Pin:
        """Read a file.

        Raises:
            FileNotFoundError: If there is none.
            BadPin: If it cannot be read, or is no pin.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["pin"] != FORMAT:
                raise BadPin(f"{path} has format {found['pin']!r}, not {FORMAT}; {_ANEW}")
            facts = {name: str(found[name]) for name in ("pinned", "dialect", "tls")}
            End(facts["pinned"])
            seen = [seen_from({**_DEFAULTS, **each}) for each in found["seen"]]
            trace = Trace(str(found["scenario"]), dict(facts), seen)
            return cls(trace, {name: str(text) for name, text in found["versions"].items()})
        except FileNotFoundError:
            raise
        except OSError as problem:
            raise BadPin(f"{path} cannot be read: {problem.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BadPin(f"{path} is no pin; {_ANEW}") from None


def _is_of(seen: Mark | Arrow, end: End) -> bool:
    return isinstance(seen, Mark) and seen.end is end


def _text(seen: Mark | Arrow) -> str:
    assert isinstance(seen, Mark)
    facts = "".join(f" {name}={value}" for name, value in sorted(seen.event.facts.items()))
    later = f" after {seen.at:g} s" if seen.at else ""
    return f"{seen.event.name}{facts}{later}"


def _fields(seen: Mark | Arrow) -> dict[str, Any]:
    """Return what is not the default, without lengths: those of signatures vary."""
    if isinstance(seen, Arrow):
        seen = replace(seen, record=replace(seen.record, length=0, version=""))
    return {
        name: value
        for name, value in fields_of(seen).items()
        if name not in _DEFAULTS or value != _DEFAULTS[name]
    }


def check(pin: Pin, path: Path, update: bool | None = None) -> str:
    """Compare with the pin in the file ``path``; returns what is wrong, or ``""``.

    With ``update``, the file is written if it differs; by default if the variable `UPDATE` is set.

    Raises:
        BadPin: If the file is no pin, or cannot be written.
    """
    update = bool(os.environ.get(UPDATE)) if update is None else update
    try:
        expected = Pin.read(path)
    except FileNotFoundError:
        expected = None
    except BadPin:
        if not update:
            raise
        expected = None
    if expected is not None and not pin.differing(expected):
        return ""
    if update:
        pin.write(path)
        return ""
    if expected is None:
        return f"there is no pin {path}; to write it, {_HOW}"
    return "\n".join(difference(expected, pin, path))


def difference(expected: Pin, seen: Pin, path: Path) -> Iterator[str]:
    """Return the lines that say what differs: two sequence diagrams, one as a change of the other.

    A line with ``-`` is only in the pin, one with ``+`` only in what was seen.
    """
    title = f"{seen.trace.title}, {seen.trace.facts['pinned']}"
    what = " and ".join(seen.differing(expected))
    # Two tests may share a file by mistake.
    other = expected.trace.title
    of = f", which is a pin of {other!r}" if other != seen.trace.title else ""
    yield f"{title}: {what} is not as pinned in {path}{of}"
    for sign, pin in (("-", expected), ("+", seen)):
        told = ", ".join(f"{name} {text}" for name, text in pin.versions.items())
        yield f"{sign} {'pinned' if sign == '-' else 'seen'} with {told}"
    before, after = bare(expected.trace), bare(seen.trace)
    for line in difflib.ndiff(before, after):
        # Those with a question mark point into the line above, which is in the way here.
        if not line.startswith("?"):
            yield line.rstrip()
    yield f"If that is as it should be, {_HOW}, and commit the file."
