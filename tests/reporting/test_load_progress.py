from __future__ import annotations

import io

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.load_progress import LoadProgress
from tlsdemo.reporting.progress import Progress


class TheProgressOfALoad(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.file = io.StringIO()
        console = Console(file=self.file, get_time=lambda: self.now, width=120)
        self.progress = Progress(console, "pair")

    def show(self, load: LoadProgress, phase: str, at: float, counters: LoadCounters) -> str:
        self.now = at
        load.show(phase, counters, at)
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text

    def test_has_a_line_for_each_phase(self) -> None:
        load = LoadProgress(self.progress, 2000, duration=5.0)
        lines = "".join(
            self.show(load, phase, at, LoadCounters())
            for at, phase in enumerate(["starting", "connecting", "sending", "draining", "over"])
        )
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
        load = LoadProgress(self.progress, 10, duration=30.0)
        self.show(load, "sending", 2.0, LoadCounters(sent=1_000_000))
        self.assertEqual(
            self.show(load, "sending", 14.0, LoadCounters(sent=7_000_000)),
            "pair: sending: 0:18 left, 0.5 MB/s, 7.0 MB\n",
        )

    def test_counts_packets_if_they_end_the_load(self) -> None:
        load = LoadProgress(self.progress, 10, packets=100)
        first = self.show(load, "sending", 0.0, LoadCounters(secured=9))
        self.assertEqual(first, "pair: sending 900 packets\n")
        later = self.show(load, "sending", 10.0, LoadCounters(packets=300))
        self.assertIn("300 of 900, 0:20 left, 30/s", later)
