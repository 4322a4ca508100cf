"""PURE.  Documents that ``--json`` wrote, read again: the runs of each side, and their figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tlsdemo.reporting.latencies import CAN_MEASURE, HANDSHAKE, NAMES, Latencies

SCHEMA = 1
"""The schema of the documents that are understood."""

FEWEST_BEYOND = 5
"""Values beyond a percentile without which it is not compared."""


class NotADocument(ValueError):
    """What is not a document of results; the text says why."""


@dataclass(frozen=True)
class MeasuredRun:
    """One run.

    Attributes:
        figures: What was measured, by names such as ``handshakes/s`` and ``p99(handshake)``, after
            the rate of the window if there are several.
        histograms: The latencies by the same beginnings of names.
        problem: Why it was not completed, if it was not.
        failed: Connections that failed.
    """

    figures: Mapping[str, float]
    histograms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    problem: str | None = None
    failed: int = 0


@dataclass(frozen=True)
class Side:
    """The runs of one side of a comparison; ``document`` is where they are from."""

    name: str
    document: str
    runs: Sequence[MeasuredRun]


def sides(name: str, document: Any) -> list[Side]:
    """Return the sides in a document: one for each server, or mode, that it has runs of.

    ``name`` is that of the file.  Raises NotADocument.
    """
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list):
        raise NotADocument("it has no list of runs")
    schema = document.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise NotADocument(f"its schema is {schema!r}, and {SCHEMA} is understood")
    if not document["runs"]:
        raise NotADocument("it has no runs")
    found: dict[str, list[MeasuredRun]] = {}
    try:
        for run in document["runs"]:
            # In tlsclient's documents, the mode of a run is its name.
            found.setdefault(str(run.get("target") or run["mode"]), []).append(_run(run))
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise NotADocument(f"a run is not as tlsdemo writes it: {problem!r}") from None
    if len(found) == 1:
        return [Side(name, name, runs) for runs in found.values()]
    return [Side(each, name, runs) for each, runs in found.items()]


def _run(run: Mapping[str, Any]) -> MeasuredRun:
    windows = _windows(run)
    figures = {
        f"{label}{name}": float(value)
        for label, window in windows.items()
        for name, value in _of_window(window, run)
    }
    opening = run.get("opening")
    if opening and HANDSHAKE in opening["latencies"]:
        figures |= {name: value for name, value in _latencies(opening) if name not in figures}
        if run["seconds_until_secured"] and "handshakes/s" not in figures:
            figures["handshakes/s"] = run["secured"] / run["seconds_until_secured"]
    totals = {
        "greatest-rate": run.get("greatest_rate"),
        "MB/s": run["megabytes_per_second"] if run["unit"] == "packets" else None,
        "server-cpu/connection": run["server_cpu_seconds_per_connection"],
        # In churn, nearly all of it is for handshakes.
        "server-cpu/MB": run["unit"] != "connections" and run["server_cpu_seconds_per_megabyte"],
    }
    figures |= {name: float(value) for name, value in totals.items() if value}
    figures |= dict(_of_probe(run.get("probe")))
    return MeasuredRun(
        figures,
        {label: window["histograms"] for label, window in windows.items()},
        run["problem"],
        sum(run["failed"].values()),
    )


def _windows(run: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    if run.get("greatest_rate") is not None:
        # Each search tries other rates.
        return {}
    several = len(run["windows"]) > 1
    found: dict[str, Mapping[str, Any]] = {}
    for each in run["windows"]:
        label = f"{each['rate']:.9g}/s " if several else ""
        # A rate may be measured twice.
        found[f"{each['number']}. {label}" if label in found else label] = each
    return found


def _of_window(window: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if window["done"]:
        yield f"{run['unit']}/s", window["done_per_second"]
    handshakes = window["latencies"].get(HANDSHAKE)
    if handshakes and window["seconds"]:
        yield "handshakes/s", handshakes["count"] / window["seconds"]
    yield from _latencies(window)


def _latencies(window: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name in NAMES:
        found = window["latencies"].get(name)
        for percentile, value in (("p50", 0.5), ("p99", 0.99)):
            if found and found["count"] * (1 - value) >= FEWEST_BEYOND:
                yield f"{percentile}({name.replace(' ', '-')})", found[percentile]


def _of_probe(probe: Mapping[str, Any] | None) -> Iterator[tuple[str, float]]:
    # Older documents have none.
    for percentile, value in (("p50", 0.5), ("p99", 0.99)):
        if probe and probe[percentile] and probe["measured"] * (1 - value) >= FEWEST_BEYOND:
            yield f"{percentile}(probe)", probe[percentile]


def histogram(run: MeasuredRun, name: str) -> tuple[Any, float] | None:
    """Return the HdrHistogram and the percentile of which a figure is, if it is of one."""
    label, _, measure = name.rpartition(" ")
    percentile, _, latency = measure.rstrip(")").partition("(")
    found = run.histograms.get(f"{label} " if label else "")
    if not CAN_MEASURE or found is None or not latency:
        return None
    try:
        read = Latencies.from_json(found).histogram(latency.replace("-", " "))
    except Exception:
        # It is damaged; the library that decodes it raises what it likes.
        return None
    return None if read is None else (read, float(percentile[1:]))
