from __future__ import annotations

import io
import math

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import interval
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.load_progress import LoadProgress
from tlsdemo.reporting.progress import Progress


class LoadProgressCase(SynchronousTestCase):
    terminal = False
    width = 120

    def setUp(self) -> None:
        self.now = 0.0
        self.file = io.StringIO()
        console = Console(
            file=self.file, get_time=lambda: self.now, width=self.width, height=25,
            force_terminal=self.terminal, color_system=None, _environ={"TERM": "xterm"},
        )  # fmt: skip
        self.progress = Progress(console, "pair")

    def shown(self) -> str:
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text

    def show(self, load: LoadProgress, phase: str, at: float, counters: LoadCounters) -> str:
        self.now = at
        load.show(phase, counters, at)
        return self.shown()


class TheProgressOfALoad(LoadProgressCase):
    def test_has_a_line_for_each_phase(self) -> None:
        load = LoadProgress(self.progress, 2000)
        lines = ""
        for at, phase in enumerate(["starting", "connecting", "sending", "draining", "over"]):
            lines += self.show(load, phase, at, LoadCounters())
            if phase == "sending":
                load.window(1, 0.0, 5.0)
        self.assertEqual(
            lines.splitlines(),
            [
                "pair: starting the clients",
                "pair: securing 2,000 connections",
                "pair: sending for 5 s",
                "pair: closing 2,000 connections",
            ],
        )

    def test_counts_failed_connections_as_done_and_names_them(self) -> None:
        load = LoadProgress(self.progress, 10)
        self.show(load, "connecting", 0.0, LoadCounters())
        counters = LoadCounters(begun=7, secured=4, failed={"truncated": 2})
        self.assertEqual(
            self.show(load, "connecting", 12.0, counters),
            "pair: securing: 6 of 10, 0:08 left, 2 failed\n",
        )

    def test_measures_the_rate_from_the_start_of_sending(self) -> None:
        load = LoadProgress(self.progress, 10)
        self.show(load, "sending", 2.0, LoadCounters(sent=1_000_000))
        load.window(1, 0.0, 30.0)
        self.shown()
        self.assertEqual(
            self.show(load, "sending", 14.0, LoadCounters(sent=7_000_000)),
            "pair: sending: 0:18 left, 0.5 MB/s, 7.0 MB\n",
        )

    def test_counts_packets_if_they_end_the_load(self) -> None:
        load = LoadProgress(self.progress, 10, packets=100)
        self.show(load, "sending", 0.0, LoadCounters(secured=9))
        load.window(1, 0.0, math.inf)
        self.assertEqual(self.shown(), "pair: sending 900 packets\n")
        later = self.show(load, "sending", 10.0, LoadCounters(packets=300))
        self.assertIn("300 of 900, 0:20 left, 30/s", later)

    def test_has_no_end_if_that_is_not_known(self) -> None:
        load = LoadProgress(self.progress, 10)
        self.show(load, "sending", 0.0, LoadCounters(secured=9))
        load.window(1, 0.0, math.inf)
        self.assertEqual(self.shown(), "pair: sending\n")
        self.assertIn("sending: 0:10,", self.show(load, "sending", 10.0, LoadCounters()))

    def test_has_a_line_for_each_step_with_its_own_time(self) -> None:
        load = LoadProgress(self.progress, 10, windows=3)
        for number, rate in enumerate((100.0, 500.0, 2000.0), 1):
            load.window(number, rate, 6.0)
        self.assertEqual(
            self.shown().splitlines(),
            [
                "pair: step 1 of 3, 100/s for 6 s",
                "pair: step 2 of 3, 500/s for 6 s",
                "pair: step 3 of 3, 2,000/s for 6 s",
            ],
        )

    def test_of_a_search_does_not_know_how_many_tries_there_are(self) -> None:
        load = LoadProgress(self.progress, 0, windows=None)
        load.window(7, 812.5, 20.0)
        self.assertEqual(self.shown(), "pair: try 7, 812.5/s for 20 s\n")

    def test_of_a_load_that_opens_connections_all_the_time_counts_none_of_them(self) -> None:
        for connections in (0, 5):
            load = LoadProgress(self.progress, connections, others=True)
            self.show(load, "connecting", 0.0, LoadCounters())
            text = self.show(load, "draining", 1.0, LoadCounters(clean=700))
            self.assertEqual(text, "pair: closing\n")

    def test_has_the_rates_and_the_p99_of_the_last_interval(self) -> None:
        load = LoadProgress(self.progress, 10)
        self.show(load, "sending", 0.0, LoadCounters())
        load.window(1, 50.0, 30.0)
        load.interval(interval(1.0))
        self.shown()
        text = self.show(load, "sending", 12.0, LoadCounters(failed={"reset": 1}))
        self.assertRegex(
            text,
            r"^pair: sending: 0:18 left, 1 failed, 49 handshakes/s, 49 answers/s, "
            r"round trip p99 [\d.]+ ms, 0\.0 MB/s, 0\.0 MB\n$",
        )


class OnATerminal(LoadProgressCase):
    terminal = True
    width = 80

    def test_the_last_interval_stands_under_the_line(self) -> None:
        load = LoadProgress(self.progress, 10)
        counters = LoadCounters(failed={"reset": 2, "truncated": 5})
        self.show(load, "sending", 0.0, counters)
        load.window(1, 50.0, 30.0)
        load.interval(interval(1.0))
        load.interval(interval(1.1, seconds=0.1, counters=LoadCounters()))
        lines = self.show(load, "sending", 2.0, counters).splitlines()
        text = "\n".join(lines)
        for expected in (
            r"last second  49 handshakes/s, 49 answers/s, 0\.00 MB/s, 50 due/s",
            r"handshake    p50 +\d\.\d\d  p90 +\d\.\d\d  p99 +\d\.\d\d  max +\d\.\d\d ms",
            r"round trip   p50 +",
            r"failed       truncated 5, reset 2",
            r"workers      25% CPU, 1\.0 ms late; 50% CPU, 2\.0 ms late",
        ):
            self.assertRegex(text, expected)
        self.assertLessEqual(max(map(len, lines)), 100)
        self.show(load, "over", 3.0, counters)
        self.assertIsNone(self.progress.below)
