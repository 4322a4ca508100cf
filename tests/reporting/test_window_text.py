from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting import window_text
from tlsdemo.reporting.latencies import HANDSHAKE, LAG, ROUND_TRIP, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.window_result import WindowResult, WorkerLoad, worker_load
from tlsdemo.reporting.window_text import load_lines


def window(rate: float = 0.0, *workers: WorkerLoad, **counters: Any) -> WindowResult:
    latencies = Latencies()
    for _ in range(10):
        latencies.record(ROUND_TRIP, 0.002)
    return WindowResult(
        1, ROUND_TRIP, rate, 2.0, LoadCounters(**counters), latencies, 3, workers
    )  # fmt: skip


def lines(*windows: WindowResult, opening: WindowResult | None = None, **counters: Any) -> str:
    result = RunResult(
        *("name", 1, LoadCounters(**counters), 1.0, 1.0),
        opening=opening, windows=windows, unit="messages",
    )  # fmt: skip
    return "\n".join(load_lines(result))


class Text(SynchronousTestCase):
    def test_of_a_closed_loop_says_so(self) -> None:
        self.assertEqual(
            lines(window()),
            "closed loop: 10 messages done in 2.00 s, 5.0/s, 3 unfinished\n"
            "  round trip: p50 2.00, p90 2.00, p99 2.00, p99.9 2.00, max 2.00 ms (10 measured)",
        )

    def test_of_an_open_loop_says_what_was_missed_and_unfinished(self) -> None:
        self.assertIn(
            "open loop at 500/s: 10 messages done in 2.00 s, 5.0/s, "
            "1,700 not started in time, 3 unfinished\n",
            lines(window(500.0, missed=1700)),
        )

    def test_names_groups_and_resumed_handshakes(self) -> None:
        text = lines(window(), groups={"X25519": 3, "P-256": 1}, resumed=2, without_end=1)
        self.assertIn("groups: P-256 1, X25519 3; resumed 2 of 4 handshakes (50%)\n", text)
        self.assertIn("1 were closed by the server without close_notify\n", text)

    def test_has_figures_by_group_if_there_are_several(self) -> None:
        opening = window()
        opening.latencies.record(f"{HANDSHAKE}/X25519", 0.001)
        self.assertNotIn("handshake X25519", lines(window(), opening=opening))
        opening.latencies.record(f"{HANDSHAKE}/P-256", 0.002)
        text = lines(window(), opening=opening)
        self.assertIn("before the load:\n", text)
        for title in ("handshake: ", "handshake P-256: ", "handshake X25519: "):
            self.assertIn(f"\n  {title}", text)

    def test_without_the_library_says_what_to_install(self) -> None:
        self.patch(window_text, "CAN_MEASURE", False)
        self.assertIn("pip install 'tlsdemo[load]'", lines(window()))

    def test_of_a_run_without_windows_is_empty(self) -> None:
        self.assertEqual(lines(), "")


class TheGenerator(SynchronousTestCase):
    def test_that_is_at_its_limit_is_warned_of(self) -> None:
        text = lines(window(0.0, WorkerLoad(0.5, 0.001), WorkerLoad(0.97, 0.001)))
        self.assertIn("\nwarning: worker 2 used 97% of a CPU, all that it can: the figures", text)
        self.assertNotIn("worker 1", text)

    def test_that_was_late_is_warned_of(self) -> None:
        text = lines(window(0.0, WorkerLoad(0.1, 0.25)))
        self.assertIn("\nwarning: worker 1 was 250 ms late for 1 % of the time", text)

    def test_that_has_time_is_not(self) -> None:
        self.assertNotIn("warning", lines(window(0.0, WorkerLoad(0.6, 0.002), WorkerLoad(0.1))))

    def test_is_not_judged_by_an_instant(self) -> None:
        short = replace(window(0.0, WorkerLoad(1.0, 0.1)), seconds=0.02)
        self.assertNotIn("warning", lines(short))

    def test_is_judged_before_the_load_as_well(self) -> None:
        latencies = Latencies()
        latencies.record(f"{HANDSHAKE}/X25519", 0.002)
        opening = replace(window(0.0, WorkerLoad(0.97)), number=0, latencies=latencies)
        text = lines(window(), opening=opening)
        self.assertIn("\nwarning: worker 1 used 97% of a CPU", text.partition("closed loop")[0])

    def test_has_the_cpu_of_a_window_and_the_lag_of_its_time(self) -> None:
        latencies = Latencies()
        for _ in range(980):
            latencies.record(LAG, 0.0)
        latencies.record_stall(LAG, 0.2, 0.01)
        load = worker_load(latencies, 1.5, 2.0)
        self.assertEqual((load.cpu, load.at_its_limit), (0.75, True))
        self.assertEqual(worker_load(Latencies(), 0.0, 0.0), WorkerLoad(0.0, None))


class JSON(SynchronousTestCase):
    def test_has_what_was_measured_and_whether_it_is_about_the_server(self) -> None:
        written = json.loads(json.dumps(window(500.0, WorkerLoad(0.97, 0.1)).as_json()))
        self.assertEqual(
            (
                written["loop"],
                written["done_per_second"],
                written["latencies"]["round trip"]["p50"],
            ),
            ("open", 5.0, 0.002),
        )
        self.assertEqual(written["latencies"]["round trip"]["p50"], 0.002)
        again = Latencies.from_json(written["histograms"])
        self.assertEqual(again.count(ROUND_TRIP), 10)
        self.assertEqual(len(written["warnings"]), 1)
