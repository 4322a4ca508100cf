"""Results of loads that were not run, for tests of reports."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from tlsdemo.reporting.interval import Interval, distributions
from tlsdemo.reporting.latencies import CONFIRMED, HANDSHAKE, ROUND_TRIP, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.window_result import WindowResult, WorkerLoad


def latencies(count: int, seed: int = 0, scale: float = 0.002) -> Latencies:
    """Return latencies of a handshake and a round trip, with a tail."""
    found, generator = Latencies(), random.Random(seed)
    for _ in range(count):
        found.record(HANDSHAKE, scale * generator.lognormvariate(0, 0.5))
        found.record(ROUND_TRIP, scale * generator.lognormvariate(0, 0.8))
    return found


def interval(at: float, **changes: Any) -> Interval:
    counters = LoadCounters(begun=50, secured=49, answered=49, packets=49, sent=1568)
    values: dict[str, Any] = {
        "at": at, "seconds": 1.0, "phase": "sending", "window": 1, "rate": 50.0,
        "counters": counters, "outstanding": 2, "latencies": distributions(latencies(20, int(at))),
        "workers": (WorkerLoad(0.25, 0.001), WorkerLoad(0.5, 0.002)),
    }  # fmt: skip
    return Interval(**{**values, **changes})


def window(number: int = 1, rate: float = 50.0, count: int = 500, **changes: Any) -> WindowResult:
    values: dict[str, Any] = {
        "counters": LoadCounters(begun=count, secured=count, answered=count, clean=count),
        "latencies": latencies(count, number),
        "workers": (WorkerLoad(0.25, 0.001),),
    }
    return WindowResult(
        *(number, CONFIRMED if number == 0 else ROUND_TRIP, rate, 10.0), **{**values, **changes}
    )


def run(windows: Iterable[WindowResult] = (), **changes: Any) -> RunResult:
    counters = LoadCounters(
        begun=500, secured=497, clean=495, sent=16000, answered=497,
        failed={"truncated": 4, "<b>bold</b>": 1}, details={"truncated": "after </script> 3 bytes"},
    )  # fmt: skip
    values: dict[str, Any] = {
        "opening": window(0, 0.0, 20),
        "windows": tuple(windows) or (window(),),
        "intervals": tuple(interval(float(at)) for at in range(1, 11)),
        "unit": "messages",
        "name": "name",
    }
    return RunResult(
        **{**values, **changes},
        connections=20, counters=counters, securing=0.5, sending=10.0, arrived=16000,
    )  # fmt: skip
