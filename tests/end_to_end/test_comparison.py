"""``tlsdemo run``: the modes side by side, with a server and clients of its own."""

from __future__ import annotations

import json
import os
import signal
import sys

from tests.end_to_end.processes import ProcessCase, Running, Watched, children

MODES = ["starttls", "pair", "wrapped", "clear"]


class Case(ProcessCase):
    def compare(self, *options: str) -> Running:
        return self.start(
            *(sys.executable, "-m", "tlsdemo", "run", "--workers=1", self.certs, *options)
        )


class Comparison(Case):
    def test_all_modes_carry_all_that_was_sent_each_in_its_own_events(self) -> None:
        command = self.compare(
            *("--conn=30", "--duration=0.2", "--json=figures"),
            *(f"--mode={mode}" for mode in MODES),
        )
        self.assertEqual(command.ends(), 0, command.said)
        self.assertNotIn("Traceback", command.said)
        for row in (*MODES, "secured", "bytes per event", "lost bytes"):
            self.assertIn(row, command.said)
        runs = {run["mode"]: run for run in json.loads((self.home / "figures").read_text())["runs"]}
        self.assertEqual(list(runs), MODES)
        for run in runs.values():
            self.assertEqual((run["connections"], run["secured"]), (30, 30))
            self.assertEqual((run["failed"], run["server_failed"], run["lost"]), ({}, {}, 0))
            self.assertGreater(run["sent"], 0)
            self.assertEqual(run["arrived"], run["sent"])
            self.assertEqual(run["packets"] * 32, run["sent"])
            self.assertAlmostEqual(run["bytes_per_event"] * run["events"], run["sent"], places=3)
            self.assertIsNone(run["problem"])
        for mode in ("starttls", "wrapped"):
            self.assertEqual(runs[mode]["bytes_per_event"], 32.0)
            self.assertEqual(runs[mode]["records_per_event"], 1.0)
        self.assertGreater(runs["pair"]["bytes_per_event"], 32.0)
        self.assertEqual(runs["clear"]["records_per_event"], 0.0)


class Ended(Case):
    if not hasattr(os, "pidfd_open"):
        skip = "Python has no os.pidfd_open here, with which to wait for others' children"

    def test_by_ctrl_c_it_shows_the_figures_so_far_and_leaves_nobody(self) -> None:
        command = self.compare("--conn=4", "--duration=1000", "--mode=pair", "--mode=clear")
        command.says("sending")
        started = Watched(children(command.pid))
        self.addCleanup(started.end)
        self.assertEqual(len(started), 2)  # a server and a worker
        command.signal_all(signal.SIGINT)
        self.assertEqual(command.ends(), 1)
        self.assertNotIn("Traceback", command.said)
        self.assertIn("lost 0 bytes", command.said)
        self.assertIn("interrupted, the results are incomplete", command.said)
        self.assertEqual(started.still_run(), [])
