from __future__ import annotations

from typing import Any

from tests.cli.test_load_options import Load, LoadOptionsCase
from tests.loadgen.fake_reactor import task
from tlsdemo.cli import scenario_contradictions
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.reporting.latencies import CONFIRMED, HANDSHAKE, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.window_result import WindowResult


class ScenarioCase(LoadOptionsCase):
    def windows(self, options: Load) -> list[Window]:
        return list(options.plan())


class Refusals(ScenarioCase):
    def test_are_one_line_that_names_the_option(self) -> None:
        for arguments, problem in {
            ("--scenario=x",): "--scenario is 'x', none of stream, pingpong, churn, idle, mixed",
            ("--scenario=mixed",): "--scenario is 'mixed', which needs --mix",
            ("--mix=stream=1",): "--mix is 'stream=1', which is only for --scenario=mixed",
            ("--mix=x=1",): "--mix is 'x=1', 'x=1' is not like pingpong=3 or churn=1@20",
            ("--mix=stream=0",): "'stream=0' has no weight above 0",
            ("--mix=idle=1,idle=2",): "--mix is 'idle=1,idle=2', idle is in it twice",
            ("--scenario=idle", "--packets=2"): "--packets is '2', and --scenario=idle sends none",
            ("--mix=idle=1@5",): "idle has no rate; give --trickle",
            ("--rate=x",): "--rate is 'x', not a number per second",
            ("--rate=-1",): "not between 0 and 1,000,000 per second",
            ("--rate=nan",): "not between 0 and 1,000,000 per second",
            (
                "--scenario=idle",
                "--rate=5",
            ): "--rate is '5', and has no meaning for --scenario=idle",
            ("--steps=5,0",): "a rate has to be above 0",
            ("--steps=5", "--rate=5"): "--steps is '5', which are the rates already",
            ("--ramp=5",): "--ramp is '5', which is only for a --rate",
            ("--arrivals=poisson",): "--arrivals is 'poisson', which is only for a --rate",
            ("--slo=failed<1",): "--slo is 'failed<1', which is only for --find-max; give --check",
            ("--find-max",): "--find-max is given, and needs --slo",
            ("--trickle=5",): "--trickle is '5', which is only for --scenario=idle",
            ("--pipeline=5",): "--pipeline is '5', which is only for --scenario=pingpong",
            ("--resume",): "--resume is given, which is only for --scenario=churn",
            ("--say=x",): "--say is 'x', which is only for --scenario=pingpong",
            ("--scenario=churn", "--say=x"): "--say and --expect need each other",
            ("--say=",): "--say is '', an empty message",
            (r"--say=\x",): r"--say is '\\x', not text with escapes such as \r\n or \x00",
            ("--check=x",): "--check is 'x', 'x' is no objective, such as",
            ("--find-max", "--slo=x"): "--slo is 'x', 'x' is no objective",
            (
                "--find-max",
                "--slo=p99(probe)<1s",
            ): "--slo is 'p99(probe)<1s', 'p99(probe)<1s' is known "
            "of the whole load, and not of each window; give it to --check",
            ("--find-max", "--slo=rate>1,lost==0"): "'lost==0' is known of the whole load",
            ("--check=lost==0,p99(probe)<1s",): "--check is 'lost==0,p99(probe)<1s', "
            "and only tlsdemo run has a probe",
        }.items():
            message = self.refused(lambda arguments=arguments: self.parse(*arguments))  # type: ignore[misc]
            self.assertIn(problem, message)

    def test_rates_need_the_library(self) -> None:
        self.patch(scenario_contradictions, "CAN_MEASURE", False)
        self.parse("--scenario=churn")
        message = self.refused(lambda: self.parse("--rate=5"))
        self.assertIn("pip install 'tlsdemo[load]'", message)


class Parts(ScenarioCase):
    def parts(self, *arguments: str, **changes: Any) -> list[tuple[str, int, float]]:
        parts = self.parse(*arguments).parts(task(connections=100, **changes))
        return [(part.scenario, part.connections, part.work_rate) for part in parts]

    def test_are_one_unless_the_scenario_is_mixed(self) -> None:
        self.assertEqual(self.parts(), [("stream", 100, 0.0)])
        self.assertEqual(self.parts("--scenario=churn", "--rate=5"), [("churn", 100, 0.0)])

    def test_of_a_mix_divide_the_connections_by_their_weights(self) -> None:
        self.assertEqual(
            self.parts("--scenario=mixed", "--mix=stream=1,pingpong=2@50,idle=7"),
            [("stream", 10, 0.0), ("pingpong", 20, 50.0), ("idle", 70, 0.0)],
        )

    def test_each_have_a_connection(self) -> None:
        self.assertEqual(
            [count for _, count, _ in self.parts("--scenario=mixed", "--mix=stream=1,idle=9999")],
            [1, 100],
        )

    def test_need_an_echo_only_if_answers_are_awaited(self) -> None:
        for arguments, echoes in {
            (): False,
            ("--scenario=pingpong",): True,
            ("--scenario=pingpong", "--say=a", "--expect=b"): False,
            ("--scenario=churn",): False,
            ("--scenario=churn", "--packets=1"): True,
            ("--scenario=mixed", "--mix=idle=1,pingpong=1"): True,
        }.items():
            self.assertEqual(self.parse(*arguments).echoes(), echoes, arguments)


class Plans(ScenarioCase):
    def test_by_default_are_a_closed_loop_of_the_duration(self) -> None:
        self.assertEqual(self.windows(self.parse("--duration=3")), [Window(seconds=3.0)])

    def test_have_the_values_of_the_options(self) -> None:
        options = self.parse(
            *("--rate=7", "--ramp=1", "--warm-up=2", "--arrivals=poisson", "--seed=4"),
        )
        self.assertEqual(
            self.windows(options),
            [Window(1, 7.0, ramp=1.0, warm_up=2.0, seconds=10.0, arrivals="poisson", seed=4)],
        )

    def test_have_a_window_for_each_step(self) -> None:
        rates = [window.rate for window in self.windows(self.parse("--steps=100,500"))]
        self.assertEqual(rates, [100.0, 500.0])

    def test_of_a_search_continue_while_the_objectives_hold_and_nothing_is_missed(self) -> None:
        options = self.parse(
            *("--scenario=churn", "--find-max", "--slo=p99(handshake)<5ms", "--rate=100")
        )
        for seconds, missed, following in ((0.001, 0, 200.0), (0.006, 0, 50.0), (0.001, 1, 50.0)):
            plan = options.plan()
            window = next(plan)
            self.assertEqual(window.rate, 100.0)
            latencies = Latencies()
            for name in (CONFIRMED, f"{HANDSHAKE}/X25519"):
                latencies.record(name, seconds)
            counted = LoadCounters(missed=missed)
            result = WindowResult(1, CONFIRMED, 100.0, 1.0, counted, latencies)
            self.assertEqual(plan.send(result).rate, following)

    def test_the_scenario_is_stream_unless_another_is_named(self) -> None:
        self.assertIs(self.parse()["scenario"], ScenarioName.STREAM)
