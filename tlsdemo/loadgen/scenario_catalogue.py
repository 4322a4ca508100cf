"""All scenarios, by name."""

from __future__ import annotations

from collections.abc import Iterable

from tlsdemo.loadgen.churn_scenario import ChurnScenario
from tlsdemo.loadgen.idle_scenario import IdleScenario
from tlsdemo.loadgen.pingpong_scenario import PingPongScenario
from tlsdemo.loadgen.scenario import Scenario, ScenarioName
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.stream_scenario import StreamScenario

SCENARIOS: dict[ScenarioName, type[Scenario]] = {
    ScenarioName.STREAM: StreamScenario,
    ScenarioName.PINGPONG: PingPongScenario,
    ScenarioName.CHURN: ChurnScenario,
    ScenarioName.IDLE: IdleScenario,
}


def opened_first(parts: Iterable[Task]) -> int:
    """Return how many connections of a load are opened before it begins."""
    return sum(
        part.connections for part in parts if SCENARIOS[ScenarioName(part.scenario)].opens_first
    )
