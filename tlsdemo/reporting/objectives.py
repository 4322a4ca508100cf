"""Objectives of a load, such as ``p99(handshake)<50ms``: whether a result fulfils them.

An objective is a measure, a comparison and a value.  Measures are ``p50``, ``p90``, ``p99``, … of a
latency in parentheses, or of the ``probe``, its ``mean`` and ``max``, ``rate`` (units done per
second), and ``failed``, ``missed``, ``unfinished`` and ``lost``, as numbers, or with ``%`` as
shares.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tlsdemo.reporting.latencies import CAN_MEASURE, NAMES
from tlsdemo.reporting.probe_result import PROBE
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.window_result import WindowResult

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}

_UNITS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}

_COUNTS = ("failed", "missed", "unfinished", "lost", "rate")

_SHARES = ("failed", "missed")

_OBJECTIVE = re.compile(
    r"\s*(?P<measure>[a-z]+[0-9.]*)\s*(?:\((?P<of>[a-z _-]+)\))?\s*"
    r"(?P<comparison><=|>=|==|<|>)\s*(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>%|[a-zµ]*)\s*"
)


class BadObjective(ValueError):
    """An objective that is not understood; the text says why."""


@dataclass(frozen=True)
class Objective:
    """One objective.

    Attributes:
        text: As it was written.
        measure: What is measured.
        of: The latency it is of, `PROBE`, or an empty text.
        comparison: An operator.
        limit: What it is compared with: seconds, a number, or a share from 0 to 1.
        share: Whether it is a share.
    """

    text: str
    measure: str
    of: str
    comparison: str
    limit: float
    share: bool = False

    def value(self, window: WindowResult, whole: RunResult | None = None) -> float | None:
        """Return what the objective measures; ``None`` if that is unknown.

        ``whole`` is the result that the window is of: what was lost, and the probe, are of that.
        """
        if self.of == PROBE:
            probe = None if whole is None else whole.probe
            if probe is None:
                return None
            return probe.mean if self.measure == "mean" else probe.at(self._percentile)
        if self.of:
            if self.measure == "mean":
                return window.latencies.mean(self.of)
            return window.latencies.at(self.of, self._percentile)
        values: dict[str, float | None] = {
            "failed": window.failed_share if self.share else window.counters.failures,
            "missed": window.missed_share if self.share else window.counters.missed,
            "unfinished": window.unfinished,
            "rate": window.done_per_second,
            "lost": None if whole is None else whole.lost,
        }
        return values[self.measure]

    @property
    def of_the_whole(self) -> bool:
        """Whether what it measures is known of the whole load only, and not of a window."""
        return self.measure == "lost" or self.of == PROBE

    @property
    def _percentile(self) -> float:
        return 100.0 if self.measure == "max" else float(self.measure[1:])

    def holds(self, window: WindowResult, whole: RunResult | None = None) -> bool:
        """Return whether it is fulfilled; what is unknown does not fulfil it."""
        value = self.value(window, whole)
        return value is not None and _COMPARISONS[self.comparison](value, self.limit)

    def verdict(self, window: WindowResult, whole: RunResult | None = None, when: str = "") -> str:
        """Return the objective, whether it is fulfilled, and what was measured, as one line.

        ``when`` tells the window from others.
        """
        value = self.value(window, whole)
        if value is None:
            text = "not measured"
        elif self.of:
            text = f"{value * 1000:,.2f} ms"
        else:
            text = f"{value:.2%}" if self.share else f"{value:,.6g}"
        held = "yes" if self.holds(window, whole) else "NO"
        return f"{self.text}{f', {when}' if when else ''}: {held}, {text}"


def objectives(text: str) -> list[Objective]:
    """Read objectives that are separated by commas; raises BadObjective.

    >>> [(each.measure, each.of, each.limit) for each in objectives("p99(handshake)<50ms,lost==0")]
    [('p99', 'handshake', 0.05), ('lost', '', 0.0)]
    """
    return [_objective(each) for each in text.split(",")]


def _objective(text: str) -> Objective:
    found = _OBJECTIVE.fullmatch(text)
    if found is None:
        raise BadObjective(f"{text!r} is no objective, such as p99(handshake)<50ms or failed<0.1%")
    measure, unit, value = found["measure"], found["unit"], float(found["value"])
    of = re.sub("[_-]", " ", found["of"] or "").strip()
    if of:
        if of not in (*NAMES, PROBE):
            known = ", ".join(name.replace(" ", "-") for name in NAMES)
            raise BadObjective(f"{of!r} is no latency, but {known} are")
        if measure not in ("mean", "max") and not (
            re.fullmatch(r"p\d+(\.\d+)?", measure) and float(measure[1:]) <= 100
        ):
            raise BadObjective(f"{measure!r} is none of p50, p99, p99.9, …, mean and max")
        if unit not in _UNITS:
            raise BadObjective(f"{text!r} needs a unit of time: us, ms or s")
        if not CAN_MEASURE:
            raise BadObjective(f"{text!r} needs histograms: pip install 'tlsdemo[load]'")
        return Objective(text.strip(), measure, of, found["comparison"], value * _UNITS[unit])
    if measure not in _COUNTS:
        raise BadObjective(f"{measure!r} is none of {', '.join(_COUNTS)}, and no p99(…)")
    if unit and (unit != "%" or measure not in _SHARES):
        raise BadObjective(f"{measure!r} has no unit {unit!r}")
    limit = value / 100 if unit else value
    return Objective(text.strip(), measure, "", found["comparison"], limit, bool(unit))


def verdicts(
    wanted: Sequence[Objective], result: RunResult, searches: bool = False
) -> Iterator[tuple[bool, str]]:
    """Return for each objective and window of a result whether it holds, and the verdict.

    What is only measured before the load, while connections are opened, is judged there.  What was
    lost, and the probe, are of the whole.  Of a search, its last window is judged: it has gone
    beyond what holds.  ``searches``: whether it is one, of which nothing is known before it ends.
    """
    for each in wanted:
        if searches and result.found is None:
            yield False, f"{each.text}: NO, the search has not ended"
            continue
        windows = list(result.windows if result.found is None else result.windows[-1:])
        before = result.opening
        if before is not None and (
            (each.of and not any(window.latencies.count(each.of) for window in windows))
            or (each.measure == "failed" and before.counters.begun)
        ):
            windows = [before, *windows] if not each.of else [before]
        if each.of_the_whole:
            windows = windows[-1:]
        for window in windows:
            when = _when(window) if len(windows) > 1 else ""
            yield each.holds(window, result), each.verdict(window, result, when)


def _when(window: WindowResult) -> str:
    if window.number == 0:
        return "before the load"
    return f"window {window.number}{f' at {window.rate:,.6g}/s' if window.rate else ''}"


def unfulfilled(wanted: Sequence[Objective], window: WindowResult) -> list[str]:
    """Return the verdicts of the objectives that a window does not fulfil."""
    return [each.verdict(window) for each in wanted if not each.holds(window)]
