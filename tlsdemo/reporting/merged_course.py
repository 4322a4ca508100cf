"""PURE.  The course of a load of several shards: their intervals, second by second.

Each shard cuts its own intervals, which end within a quarter of a second of each other.  Those
whose middles are in the same second of the load, in the same phase and window, are one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tlsdemo.reporting.interval import COUNTED, Interval, distributions
from tlsdemo.reporting.latencies import Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.plain_values import BadValues, fields_of, list_of, mapping_of, read_values
from tlsdemo.reporting.window_result import WorkerLoad

_INTERVAL = {
    "at": "float",
    "seconds": "float",
    "phase": "str",
    "window": "int",
    "rate": "float | None",
    "outstanding": "int",
    "histograms": "Mapping[str, str]",
}


def read_interval(values: Mapping[str, Any]) -> Interval:
    """Read the result of :meth:`Interval.as_json`; its latencies are those of its histograms.

    Raises BadValues.
    """
    values = {"histograms": {}, **mapping_of(values, "an interval")}
    found = fields_of(values, _INTERVAL, "an interval")
    counted = {name: values.get(name) for name in COUNTED}
    return Interval(
        at=found["at"],
        seconds=found["seconds"],
        phase=found["phase"],
        window=found["window"],
        rate=found["rate"] or 0.0,
        counters=read_values(LoadCounters, {**counted, "failed": values.get("failed")}),
        outstanding=found["outstanding"],
        workers=tuple(
            read_values(WorkerLoad, each) for each in list_of(values.get("workers"), "'workers'")
        ),
        histograms=found["histograms"],
    )


def merged_course(shards: Iterable[tuple[float, Sequence[Interval]]]) -> tuple[Interval, ...]:
    """Return the intervals of all shards together, each with how many seconds late it began.

    Raises BadValues for a histogram that is damaged.
    """
    seconds: dict[tuple[int, int, str], list[list[Interval]]] = {}
    for late, intervals in shards:
        own: dict[tuple[int, int, str], list[Interval]] = {}
        for each in intervals:
            moved = replace(each, at=each.at + late)
            second = math.floor(moved.at - moved.seconds / 2)
            own.setdefault((second, each.window, each.phase), []).append(moved)
        for key, found in own.items():
            seconds.setdefault(key, []).append(found)
    return tuple(sorted(map(_together, seconds.values()), key=lambda each: each.at))


def _together(shards: Sequence[Sequence[Interval]]) -> Interval:
    """Return one interval of what each shard had in it."""
    every = [each for intervals in shards for each in intervals]
    try:
        latencies = Latencies.total(Latencies.from_json(each.histograms) for each in every)
    except Exception as problem:
        # The library that decodes them raises what it likes.
        raise BadValues(f"a histogram of an interval is damaged: {problem}") from None
    first = every[0]
    return Interval(
        at=max(each.at for each in every),
        seconds=max(sum(each.seconds for each in intervals) for intervals in shards),
        phase=first.phase,
        window=first.window,
        rate=first.rate,
        counters=LoadCounters.total(each.counters for each in every),
        outstanding=sum(intervals[-1].outstanding for intervals in shards),
        latencies=distributions(latencies),
        workers=tuple(
            worker
            for intervals in shards
            for worker in max(intervals, key=lambda each: each.seconds).workers
        ),
    )
