"""All scenarios, by name."""

from __future__ import annotations

from collections.abc import Iterable

from tlsdemo.loadgen.churn_scenario import ChurnScenario
from tlsdemo.loadgen.idle_scenario import IdleScenario
from tlsdemo.loadgen.pingpong_scenario import PingPongScenario
from tlsdemo.loadgen.scenario import Scenario, ScenarioName
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.stream_scenario import StreamScenario
from tlsdemo.reporting import latencies

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


def latency_names(parts: Iterable[Task], paced: bool) -> list[str]:
    """Return which latencies a load has, in the order of a connection; ``paced``: at a rate."""
    has = {latencies.CONNECT, latencies.CONFIRMED}
    for part in parts:
        scenario = ScenarioName(part.scenario)
        if part.mode != "clear":
            has.add(latencies.HANDSHAKE)
        if part.dialect != "immediate":
            has.add(latencies.UPGRADE)
        if scenario is ScenarioName.STREAM and (paced or part.work_rate):
            has.add(latencies.WRITE)
        if scenario is ScenarioName.PINGPONG or (scenario is ScenarioName.CHURN and part.packets):
            has |= {latencies.FIRST_BYTE, latencies.ROUND_TRIP}
    return [name for name in latencies.NAMES if name in has]
