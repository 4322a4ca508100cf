"""A load as a plain value, and the shards into which it is cut; no I/O.

A `LoadPlan` says all that is done; a `Shard` is the part of one process.  Neither has certificates,
keys or passphrases: those are of the machine that runs the shard.  What is cut is decided by the
plan and the number of shards alone, so that processes that know nothing of each other do all of the
work once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen.arrivals import Arrivals, Window
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.loadgen.schedule import Task, shares
from tlsdemo.reporting.plain_values import BadValues, list_of, mapping_of, read_values
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ModeName

SCHEMA = 1

MOST_SHARDS = 10_000

REST_WITHIN = 5.0
"""Seconds that the work of a window may take after its end; what is not done then is reported."""

_SECRETS = {"certificate": "", "key": "", "authority": "", "passphrase": ""}


class BadPlan(ValueError):
    """A plan that cannot be run, or not so; the text says why."""


@dataclass(frozen=True)
class LoadPlan:
    """All that a load does.

    Attributes:
        name: By which the server knows the run.
        parts: What it consists of, for all shards together.
        windows: What follows each other, if ``parts`` do not end before.
        open_for: Seconds from the start until the first window, in which connections are opened
            that are open before.
        status: The client endpoint string of the server's status service, ``none``, or empty for
            the usual one.
    """

    name: str
    parts: tuple[Task, ...]
    windows: tuple[Window, ...]
    open_for: float = 0.0
    status: str = ""

    @property
    def connections(self) -> int:
        """How many connections there are at a time."""
        return sum(part.connections for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON, without credentials."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "status": self.status,
            "open_for": self.open_for,
            "windows": [window.as_json() for window in self.windows],
            "parts": [
                {name: value for name, value in part.as_json().items() if name not in _SECRETS}
                for part in self.parts
            ],
        }

    @classmethod
    def from_json(cls, document: object) -> LoadPlan:
        """Read the result of :meth:`as_json`; raises BadPlan."""
        try:
            values = mapping_of(document, "a plan")
            if values.get("schema") != SCHEMA:
                raise BadPlan(f"its schema is {values.get('schema')!r}, and {SCHEMA} is understood")
            parts = [
                read_values(Task, {**mapping_of(each, "a part"), **_SECRETS})
                for each in list_of(values.get("parts"), "'parts'")
            ]
            windows = [
                read_values(Window, each) for each in list_of(values.get("windows"), "'windows'")
            ]
            settings = {name: values.get(name) for name in ("name", "status", "open_for")}
            head = read_values(_Head, settings)
            for part in parts:
                _check(part)
            for window in windows:
                Arrivals(window.arrivals)
        except (BadValues, ValueError) as problem:
            raise BadPlan(str(problem)) from None
        if not parts or not windows:
            raise BadPlan("it has no parts, or no windows")
        return cls(head.name, tuple(parts), tuple(windows), float(head.open_for), head.status)

    @property
    def digest(self) -> str:
        """What tells this plan from others."""
        text = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def most_shards(self) -> int:
        """Return into how many shards it can be cut: each has a connection at least."""
        return max(part.connections for part in self.parts)

    def shard(self, number: int, of: int) -> Shard:
        """Return shard ``number``, from 1, of so many; raises BadPlan if there is not so much."""
        most = self.most_shards()
        if of > most:
            raise BadPlan(f"{of} shards are more than its connections: at most {most}")
        tasks = shares(self.parts, of)[number - 1]
        return Shard(number, of, self.digest, replace(self, parts=tuple(tasks)))


@dataclass(frozen=True)
class _Head:
    name: str
    status: str
    open_for: float


def _check(part: Task) -> None:
    ScenarioName(part.scenario)
    ModeName(part.mode)
    if part.dialect not in DIALECTS:
        raise BadValues(f"'dialect' is {part.dialect!r}, none of {', '.join(DIALECTS)}")
    if part.connections < 1 or part.packet_size < 1 or part.in_flight < 1:
        raise BadValues("'connections', 'packet_size' and 'in_flight' have to be at least 1")


@dataclass(frozen=True)
class Shard:
    """The part of a load that one process runs.

    Attributes:
        number: Which one, from 1.
        of: How many there are.
        plan: The digest of the plan of which it was cut.
        load: What it does: a plan whose parts are only its own.
    """

    number: int
    of: int
    plan: str
    load: LoadPlan

    @property
    def name(self) -> str:
        """By which the server knows the run of this shard."""
        return f"{self.load.name}-{self.number}"

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON, without credentials."""
        return {
            "number": self.number,
            "of": self.of,
            "plan": self.plan,
            "load": self.load.as_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Shard:
        """Read the result of :meth:`as_json`; raises BadPlan."""
        load = LoadPlan.from_json(values["load"])
        return cls(values["number"], values["of"], values["plan"], load)

    def tasks(self, credentials: Credentials) -> tuple[Task, ...]:
        """Return what it does with these credentials."""
        passphrase = (credentials.passphrase or b"").decode("utf-8", "surrogateescape")
        return tuple(
            replace(
                part,
                certificate=str(credentials.certificate),
                key=str(credentials.key),
                authority=str(credentials.authority),
                passphrase=passphrase,
            )
            for part in self.load.parts
        )

    def window_offsets(self) -> list[float]:
        """Return when each window may begin, in seconds from the start.

        The same for each shard, however long its own work takes after the end of a window.
        """
        timeout = max(part.timeout for part in self.load.parts)
        pause = min(timeout, REST_WITHIN)
        return [
            self.load.open_for + each
            for each in accumulate(
                (window.length + pause for window in self.load.windows[:-1]), initial=0.0
            )
        ]


_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")


def shard_number(text: str) -> tuple[int, int]:
    """Read which shard it is, from 1, of how many.

    >>> shard_number("3/8")
    (3, 8)
    """
    found = _SHARD.fullmatch(text)
    number, of = (int(each) for each in found.groups()) if found else (0, 0)
    if not 1 <= number <= of <= MOST_SHARDS:
        raise ValueError(f"not like 3/8: which shard, from 1, of how many, {MOST_SHARDS:,} at most")
    return number, of
