from __future__ import annotations

import doctest
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting import objectives as module
from tlsdemo.reporting.latencies import CONFIRMED, HANDSHAKE, ROUND_TRIP, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.objectives import BadObjective, objectives, unfulfilled, verdicts
from tlsdemo.reporting.probe_result import ProbeResult
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.window_result import WindowResult


def window(number: int = 1, name: str = ROUND_TRIP, **counters: Any) -> WindowResult:
    """90 answers after 1 ms, 10 after 10 ms."""
    failed = {"truncated": counters.pop("failures", 0)}
    latencies = Latencies()
    for seconds in [0.001] * 90 + [0.01] * 10:
        latencies.record(name, seconds)
    counted = LoadCounters(failed=failed, **counters)
    return WindowResult(number, name, 50.0, 2.0, counted, latencies)


class Reading(SynchronousTestCase):
    def test_the_examples_of_the_docstrings_are_true(self) -> None:
        outcome = doctest.testmod(module)
        self.assertEqual((outcome.attempted > 0, outcome.failed), (True, 0))

    def test_what_is_not_understood_is_refused_with_the_reason(self) -> None:
        for text, problem in {
            "": "'' is no objective, such as p99(handshake)<50ms or failed<0.1%",
            "p99<50ms": "'p99' is none of failed, missed, unfinished, lost, rate, and no p99(…)",
            "p99(x)<50ms": "'x' is no latency, but connect, upgrade, handshake, confirmed, "
            "first-byte, round-trip, write are",
            "p101(connect)<1s": "'p101' is none of p50, p99, p99.9, …, mean and max",
            "p99(connect)<1": "'p99(connect)<1' needs a unit of time: us, ms or s",
            "rate>5%": "'rate' has no unit '%'",
            "failed<1ms": "'failed' has no unit 'ms'",
        }.items():
            raised = self.assertRaises(BadObjective, objectives, text)
            self.assertEqual(str(raised), problem)

    def test_latencies_need_the_library(self) -> None:
        self.patch(module, "CAN_MEASURE", False)
        raised = self.assertRaises(BadObjective, objectives, "p99(connect)<1s")
        self.assertIn("pip install 'tlsdemo[load]'", str(raised))
        self.assertEqual(len(objectives("lost==0")), 1)


class Judging(SynchronousTestCase):
    def test_each_measure_is_compared(self) -> None:
        measured = window(begun=100, failures=1, missed=25)
        for text, expected in {
            "p50(round-trip)<2ms": True,
            "p90(round_trip)<=2ms": True,
            "p99(round-trip)<2ms": False,
            "p99(round-trip)<10100us": True,
            "mean(round-trip)>5ms": False,
            "max(round-trip)<0.011s": True,
            "rate>=50": True,
            "rate>50": False,
            "failed==1": True,
            "failed<0.5%": False,
            "failed<1%": False,
            "failed<=1%": True,
            "missed<=20%": True,
            "missed<20%": False,
            "unfinished==0": True,
            "p99(handshake)<1s": False,
            "lost==0": False,
        }.items():
            (objective,) = objectives(text)
            self.assertEqual(objective.holds(measured), expected, text)

    def test_the_verdict_says_what_was_measured(self) -> None:
        wanted = objectives("p99(round-trip)<2ms, failed<50%,rate>10,lost==0")
        self.assertEqual(
            [each.verdict(window(begun=3, failures=1)) for each in wanted],
            [
                "p99(round-trip)<2ms: NO, 10.01 ms",
                "failed<50%: yes, 33.33%",
                "rate>10: yes, 50",
                "lost==0: NO, not measured",
            ],
        )
        self.assertEqual(unfulfilled(wanted, window())[-1], "lost==0: NO, not measured")

    def judged(self, text: str, opening: WindowResult) -> list[bool]:
        result = RunResult(
            "name", 1, LoadCounters(), 1.0, 1.0, opening=opening, windows=(window(), window(2))
        )
        return [holds for holds, _ in verdicts(objectives(text), result)]

    def test_every_window_is_judged(self) -> None:
        opening = window(0, f"{HANDSHAKE}/X25519")
        self.assertEqual(self.judged("p50(round-trip)<2ms", opening), [True, True])

    def test_what_was_only_measured_before_the_load_is_judged_there(self) -> None:
        opening = window(0, f"{HANDSHAKE}/X25519", begun=2, failures=1)
        self.assertEqual(self.judged("p50(handshake)<2ms", opening), [True])
        self.assertEqual(self.judged("failed==0", opening), [False, True, True])

    def test_the_share_of_failures_is_that_of_the_connections_of_the_window(self) -> None:
        # Of a stream, an idle load or a pingpong, all are opened before.
        measured = replace(window(failures=1, answered=100), open_before=50)
        self.assertEqual(measured.failed_share, 0.02)
        measured = replace(window(failures=5, begun=50, answered=450), open_before=0)
        self.assertEqual(measured.failed_share, 0.1)
        self.assertEqual(window().failed_share, 0.0)

    def verdicts(self, text: str, **changes: Any) -> list[str]:
        result = RunResult(
            "name", 1, LoadCounters(begun=1), 1.0, 1.0, arrived=0,
            opening=window(0, f"{HANDSHAKE}/X25519", begun=1),
            windows=(window(begun=1), replace(window(2, begun=1), rate=0.0)), **changes,
        )  # fmt: skip
        return [verdict for _, verdict in verdicts(objectives(text), result)]

    def test_each_verdict_says_of_which_window_it_is_if_there_are_several(self) -> None:
        self.assertEqual(
            self.verdicts("rate>1,failed==0,p50(handshake)<2ms,lost==0"),
            [
                "rate>1, window 1 at 50/s: yes, 50",
                "rate>1, window 2: yes, 50",
                "failed==0, before the load: yes, 0",
                "failed==0, window 1 at 50/s: yes, 0",
                "failed==0, window 2: yes, 0",
                "p50(handshake)<2ms: yes, 1.00 ms",
                "lost==0: yes, 0",
            ],
        )

    def test_of_a_search_the_last_window_is_judged(self) -> None:
        self.assertEqual(self.verdicts("rate>1", found=50.0), ["rate>1: yes, 50"])

    def test_of_a_search_that_did_not_end_nothing_is_known(self) -> None:
        result = RunResult("name", 1, LoadCounters(), 1.0, 1.0, windows=(window(),))
        self.assertEqual(
            [*verdicts(objectives("rate>1"), result, searches=True)],
            [(False, "rate>1: NO, the search has not ended")],
        )

    def test_the_probe_is_judged_once_of_the_whole(self) -> None:
        probe = ProbeResult(50.0, window().latencies)
        for text, expected in {
            "p50(probe)<2ms": "p50(probe)<2ms: yes, 1.00 ms",
            "p99(probe)<2ms": "p99(probe)<2ms: NO, 10.01 ms",
            "max(probe)<2ms": "max(probe)<2ms: NO, 10.01 ms",
            "mean(probe)<2ms": "mean(probe)<2ms: yes, 1.90 ms",
        }.items():
            self.assertEqual(self.verdicts(text, probe=probe), [expected])

    def test_a_message_without_an_answer_was_slower_than_all_others(self) -> None:
        probe = ProbeResult(50.0, window().latencies, unanswered=10)
        for text, expected in {
            "p50(probe)<2ms": "p50(probe)<2ms: yes, 1.00 ms",
            "p99(probe)<2s": "p99(probe)<2s: NO, not measured",
            "mean(probe)<2s": "mean(probe)<2s: NO, not measured",
        }.items():
            self.assertEqual(self.verdicts(text, probe=probe), [expected])

    def test_without_a_probe_its_objective_does_not_hold(self) -> None:
        self.assertEqual(self.verdicts("p50(probe)<2ms"), ["p50(probe)<2ms: NO, not measured"])

    def test_what_was_never_measured_does_not_hold(self) -> None:
        self.assertEqual(self.judged("p50(connect)<2ms", window(0, CONFIRMED)), [False])
