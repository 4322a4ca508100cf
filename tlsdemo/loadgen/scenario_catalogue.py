"""All scenarios, by name."""

from __future__ import annotations

from tlsdemo.loadgen.churn_scenario import ChurnScenario
from tlsdemo.loadgen.idle_scenario import IdleScenario
from tlsdemo.loadgen.pingpong_scenario import PingPongScenario
from tlsdemo.loadgen.scenario import Scenario, ScenarioName
from tlsdemo.loadgen.stream_scenario import StreamScenario

SCENARIOS: dict[ScenarioName, type[Scenario]] = {
    ScenarioName.STREAM: StreamScenario,
    ScenarioName.PINGPONG: PingPongScenario,
    ScenarioName.CHURN: ChurnScenario,
    ScenarioName.IDLE: IdleScenario,
}
