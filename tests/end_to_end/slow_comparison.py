"""``tlsdemo run``: the modes side by side, with a server and clients of its own."""

from __future__ import annotations

import json
import os
import signal
import sys

from tests.end_to_end.processes import ProcessCase, ProcessHandles, RunningCommand, children

MODES = ["starttls", "pair", "wrapped", "clear"]


class Case(ProcessCase):
    def compare(self, *options: str) -> RunningCommand:
        return self.start(
            *(sys.executable, "-m", "tlsdemo", "run", "--workers=1", self.certs, *options)
        )


class Comparison(Case):
    def test_all_modes_deliver_every_byte_each_in_its_own_number_of_events(self) -> None:
        command = self.compare(
            *("--conn=30", "--duration=0.2", "--json=results"),
            *(f"--mode={mode}" for mode in MODES),
        )
        self.assertEqual(command.wait(), 0, command.output)
        self.assertNotIn("Traceback", command.output)
        for row in (*MODES, "secured", "bytes per event", "probe p99, ms", "lost bytes"):
            self.assertIn(row, command.output)
        runs = {run["mode"]: run for run in json.loads((self.home / "results").read_text())["runs"]}
        self.assertEqual(list(runs), MODES)
        for run in runs.values():
            self.assertEqual((run["connections"], run["secured"]), (30, 30))
            self.assertEqual((run["failed"], run["server_failed"], run["lost"]), ({}, {}, 0))
            self.assertGreater(run["sent"], 0)
            self.assertEqual(run["arrived"], run["sent"])
            self.assertEqual(run["packets"] * 32, run["sent"])
            probe = run["probe"]
            self.assertGreater(probe["measured"], 0)
            self.assertEqual((probe["unanswered"], probe["problem"]), (0, None))
            self.assertLessEqual(probe["p50"], probe["p99"])
            # As long as the packets, so that a record of either is an event of 32 bytes.
            received = run["sent"] + 32 * probe["measured"]
            self.assertAlmostEqual(run["bytes_per_event"] * run["events"], received, places=3)
            self.assertIsNone(run["problem"])
        for mode in ("starttls", "wrapped"):
            self.assertEqual(runs[mode]["bytes_per_event"], 32.0)
            self.assertEqual(runs[mode]["records_per_event"], 1.0)
        self.assertGreater(runs["pair"]["bytes_per_event"], 32.0)
        self.assertEqual(runs["clear"]["records_per_event"], 0.0)


class Interrupted(Case):
    if not hasattr(os, "pidfd_open"):
        skip = "Python has no os.pidfd_open here, with which to wait for others' children"

    def test_by_ctrl_c_it_prints_its_results_and_leaves_no_process(self) -> None:
        command = self.compare("--conn=4", "--duration=1000", "--mode=pair", "--mode=clear")
        command.wait_for_line("sending")
        started = ProcessHandles(children(command.pid))
        self.addCleanup(started.kill)
        self.assertEqual(len(started), 3)  # a server, a worker and the probe
        command.signal_all(signal.SIGINT)
        self.assertEqual(command.wait(), 1)
        self.assertNotIn("Traceback", command.output)
        self.assertIn("lost 0 bytes", command.output)
        self.assertIn("interrupted, the results are incomplete", command.output)
        self.assertEqual(started.still_running(), [])
