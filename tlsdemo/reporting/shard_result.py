"""PURE.  The results of the shards of a load: read, checked against each other, and added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tlsdemo.reporting.latencies import Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.merged_course import merged_course, read_interval
from tlsdemo.reporting.plain_values import (
    BadValues,
    fields_of,
    list_of,
    mapping_of,
    read_values,
)
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.window_result import WindowResult, WorkerLoad

SCHEMA = 1
"""That of the documents of ``tlsclient --json``, of which this is one."""


class CannotMerge(ValueError):
    """Results that are not those of one load; the text says which."""


@dataclass(frozen=True)
class ShardResult:
    """What became of one shard.

    Attributes:
        number: Which one, from 1.
        of: How many there are.
        plan: The digest of the plan.
        host: The machine that ran it.
        start_at: When it was to begin, in seconds since the epoch; ``None`` for at once.
        started: When it began, by the clock of its machine; ``None`` if it did not.
        windows_began: When each window began.
        run: What it did.
        clock: How far its clock was ahead, in seconds, and how exactly that is known; ``None`` if
            that was not measured.
        source: Where the result is from.
        versions: Of libraries.
        target: The client endpoint string of the server, if that is known.
    """

    number: int
    of: int
    plan: str
    host: str
    start_at: float | None
    started: float | None
    windows_began: tuple[float, ...]
    run: RunResult
    clock: tuple[float, float] | None = None
    source: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    target: str = ""

    def late(self, when: float) -> float:
        """Return how late a time is by its clock, in seconds after the agreed start."""
        ahead = 0.0 if self.clock is None else self.clock[0]
        return when - ahead - (self.start_at or 0.0)

    def measured_with(self, clock: tuple[float, float]) -> ShardResult:
        """Return it with what was measured of its clock."""
        return replace(self, clock=clock)

    def header_as_json(self) -> dict[str, Any]:
        """Return what the document of a shard has besides that of a run."""
        return {
            "number": self.number,
            "of": self.of,
            "plan": self.plan,
            "host": self.host,
            "start_at": self.start_at,
            "started": self.started,
            "windows_began": list(self.windows_began),
            "clock": self.clock and list(self.clock),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the document of the shard for JSON."""
        return {
            "schema": SCHEMA,
            "versions": dict(self.versions),
            "shard": self.header_as_json(),
            "runs": [self.run.as_json()],
        }

    @classmethod
    def from_json(cls, document: object, source: str = "") -> ShardResult:
        """Read the result of :meth:`as_json`; raises BadValues."""
        values = mapping_of(document, "the document")
        if values.get("schema") != SCHEMA:
            raise BadValues(f"its schema is {values.get('schema')!r}, and {SCHEMA} is understood")
        if "shard" not in values:
            raise BadValues("it is of a whole load")
        try:
            head, (run,), clock = values["shard"], values["runs"], values["shard"]["clock"]
            fields_of(head, _HEAD, "its shard")
            if not 1 <= head["number"] <= head["of"]:
                raise BadValues(f"it is shard {head['number']!r} of {head['of']!r}")
            return cls(
                number=head["number"],
                of=head["of"],
                plan=str(head["plan"]),
                host=str(head["host"]),
                start_at=None if head["start_at"] is None else float(head["start_at"]),
                started=None if head["started"] is None else float(head["started"]),
                windows_began=tuple(float(each) for each in head["windows_began"]),
                run=read_run(run),
                clock=None if clock is None else (float(clock[0]), float(clock[1])),
                source=source,
                target=str(run.get("target", "")),
                versions={str(key): str(value) for key, value in values["versions"].items()},
            )
        except BadValues:
            raise
        # The histograms are decoded by a library, which raises what it likes.
        except Exception as problem:
            why = f"lacks {problem}" if isinstance(problem, KeyError) else str(problem)
            raise BadValues(f"it is damaged: {why}") from None


_HEAD = {
    "number": "int",
    "of": "int",
    "start_at": "float | None",
    "started": "float | None",
}

_RUN = {
    "mode": "str",
    "connections": "int",
    "seconds_until_secured": "float",
    "seconds_sending": "float",
    "arrived": "int | None",
    "problem": "str | None",
    "encrypted": "bool",
    "opened_first": "int | None",
    "unit": "str",
    "greatest_rate": "float | None",
}
"""What is read of a run, besides what has parts of its own."""

_WINDOW = {
    "number": "int",
    "main": "str",
    "rate": "float | None",
    "seconds": "float",
    "unfinished": "int",
    "open_before": "int",
    "histograms": "Mapping[str, str]",
}


def read_run(values: Mapping[str, Any]) -> RunResult:
    """Read the result of :meth:`RunResult.as_json`, but for the counters of the server."""
    found = fields_of(values, _RUN, "its run")
    return RunResult(
        name=found["mode"],
        connections=found["connections"],
        counters=read_values(LoadCounters, values["counters"]),
        securing=found["seconds_until_secured"],
        sending=found["seconds_sending"],
        arrived=found["arrived"],
        problem=found["problem"],
        encrypted=found["encrypted"],
        opened_first=found["opened_first"],
        opening=None if values["opening"] is None else _window(values["opening"]),
        windows=tuple(_window(each) for each in list_of(values["windows"], "'windows'")),
        unit=found["unit"],
        found=found["greatest_rate"],
        intervals=tuple(
            read_interval(each) for each in list_of(values.get("intervals", []), "'intervals'")
        ),
    )


def _window(values: Mapping[str, Any]) -> WindowResult:
    found = fields_of(values, _WINDOW, "a window")
    return WindowResult(
        number=found["number"],
        main=found["main"],
        rate=found["rate"] or 0.0,
        seconds=found["seconds"],
        counters=read_values(LoadCounters, values["counters"]),
        latencies=Latencies.from_json(found["histograms"]),
        unfinished=found["unfinished"],
        open_before=found["open_before"],
        workers=tuple(
            read_values(WorkerLoad, each) for each in list_of(values["workers"], "'workers'")
        ),
    )


def check_shards(shards: Sequence[ShardResult]) -> list[int]:
    """Return the numbers of the shards that are missing.

    Raises CannotMerge if they are not of one plan and one start, or if one is there twice.
    """
    first, *others = shards
    for each in others:
        for what, one, other in (
            ("of plan {}", first.plan, each.plan),
            ("one of {} shards", first.of, each.of),
            ("of a run that began at {}", first.start_at, each.start_at),
        ):
            if one != other:
                raise CannotMerge(
                    f"{each.source} is {what.format(other)}, and {first.source} is "
                    f"{what.format(one)}: they are not of the same load"
                )
    seen: dict[int, ShardResult] = {}
    for each in shards:
        twice = seen.setdefault(each.number, each)
        if twice is not each:
            raise CannotMerge(
                f"shard {each.number} of {each.of} is there twice, in {twice.source} and in "
                f"{each.source}; which of them counts?"
            )
    return [number for number in range(1, first.of + 1) if number not in seen]


def merged_run(shards: Sequence[ShardResult], problems: Iterable[str] = ()) -> RunResult:
    """Return the shards as one run; ``problems`` are those that no shard knows."""
    runs = [each.run for each in shards]
    said = [f"shard {each.number}: {each.run.problem}" for each in shards if each.run.problem]
    first = runs[0]
    opened_first = [
        run.connections if run.opened_first is None else run.opened_first for run in runs
    ]
    openings = [run.opening for run in runs if run.opening is not None]
    arrived = [run.arrived for run in runs if run.arrived is not None]
    return RunResult(
        name=first.name.rpartition("-")[0] or first.name,
        connections=sum(run.connections for run in runs),
        counters=LoadCounters.total(run.counters for run in runs),
        securing=max(run.securing for run in runs),
        sending=max(run.sending for run in runs),
        arrived=sum(arrived) if len(arrived) == len(runs) else None,
        problem="; ".join([*problems, *said]) or None,
        encrypted=first.encrypted,
        opened_first=sum(opened_first),
        opening=_together(openings) if openings else None,
        windows=tuple(
            _together([run.windows[index] for run in runs if index < len(run.windows)])
            for index in range(max(len(run.windows) for run in runs))
        ),
        unit=first.unit,
        intervals=merged_course(
            (each.late(each.started), each.run.intervals)
            for each in shards
            if each.start_at is not None and each.started is not None
        ),
    )


def _together(windows: Sequence[WindowResult]) -> WindowResult:
    """Add up what several shards did in the same window; its rate is that of all already."""
    first = windows[0]
    return WindowResult(
        number=first.number,
        main=first.main,
        rate=first.rate,
        seconds=max(each.seconds for each in windows),
        counters=LoadCounters.total(each.counters for each in windows),
        latencies=Latencies.total(each.latencies for each in windows),
        unfinished=sum(each.unfinished for each in windows),
        open_before=sum(each.open_before for each in windows),
        workers=tuple(worker for each in windows for worker in each.workers),
    )
