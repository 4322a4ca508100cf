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


def packets_that_end(parts: Iterable[Task]) -> int:
    """Return how many packets of each connection end a load, whatever its windows say; 0 if none.

    Of several parts, each has to end by its packets; the most are returned.
    """
    packets = [
        part.packets if SCENARIOS[ScenarioName(part.scenario)].ends_itself else 0 for part in parts
    ]
    return 0 if 0 in packets else max(packets, default=0)


def opened_first(parts: Iterable[Task]) -> int:
    """Return how many connections of a load are opened before it begins."""
    return sum(
        part.connections for part in parts if SCENARIOS[ScenarioName(part.scenario)].opens_first
    )
