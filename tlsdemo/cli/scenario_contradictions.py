"""What a load refuses, because its scenario or its rate gives an option no meaning."""

from __future__ import annotations

from collections.abc import Callable

from tlsdemo.cli.contradictions import Contradiction
from tlsdemo.cli.options import Options
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.reporting.latencies import CAN_MEASURE

_STREAM, _PINGPONG = ScenarioName.STREAM, ScenarioName.PINGPONG
_CHURN, _IDLE = ScenarioName.CHURN, ScenarioName.IDLE
_MIXED = None


def _scenario_is(*names: ScenarioName | None) -> Callable[[Options], bool]:
    return lambda options: options["scenario"] in names


def _scenario_is_not(*names: ScenarioName | None) -> Callable[[Options], bool]:
    return lambda options: options["scenario"] not in names


def has_rate(options: Options) -> bool:
    """Return whether work is due by a plan."""
    of_parts = any(rate for _, rate in (options["mix"] or {}).values())
    return bool(options["rate"] or options["steps"] or options["find-max"] or of_parts)


def _has_no_rate(options: Options) -> bool:
    return not has_rate(options)


def _cannot_measure(options: Options) -> bool:
    return not CAN_MEASURE and bool(has_rate(options) or options["warm-up"])


SCENARIO_CONTRADICTIONS = (
    Contradiction("mix", _scenario_is_not(_MIXED), "which is only for --scenario=mixed"),
    Contradiction(
        "scenario",
        lambda options: options["scenario"] is _MIXED and not options["mix"],
        "which needs --mix",
    ),
    Contradiction(
        "rate steps find-max",
        _scenario_is(_MIXED, _IDLE),
        "and has no meaning for --scenario=idle; of mixed, --mix has the rates",
    ),
    Contradiction("packets", _scenario_is(_IDLE), "and --scenario=idle sends none; give --trickle"),
    Contradiction(
        "steps",
        lambda options: options["rate"] or options["find-max"],
        "which are the rates already; leave away --rate and --find-max",
    ),
    Contradiction(
        "slo",
        lambda options: not options["find-max"],
        "which is only for --find-max; give --check",
    ),
    Contradiction(
        "find-max",
        lambda options: not options["slo"],
        "and needs --slo, which says when a rate holds",
    ),
    Contradiction(
        "ramp",
        lambda options: not (options["rate"] or options["steps"]),
        "which is only for a --rate",
    ),
    Contradiction("arrivals seed", _has_no_rate, "which is only for a --rate"),
    Contradiction("trickle", _scenario_is_not(_MIXED, _IDLE), "which is only for --scenario=idle"),
    Contradiction(
        "pipeline", _scenario_is_not(_MIXED, _PINGPONG), "which is only for --scenario=pingpong"
    ),
    Contradiction("resume", _scenario_is_not(_MIXED, _CHURN), "which is only for --scenario=churn"),
    Contradiction(
        "say expect",
        _scenario_is_not(_MIXED, _PINGPONG, _CHURN),
        "which is only for --scenario=pingpong and churn",
    ),
    Contradiction(
        "say expect",
        lambda options: (options["say"] is None) != (options["expect"] is None),
        "and --say and --expect need each other",
    ),
    Contradiction(
        "rate steps find-max mix warm-up",
        _cannot_measure,
        "which needs histograms: pip install 'tlsdemo[load]'",
    ),
)
