"""A load from a Dask cluster: two worker processes, one of which is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

from tests.end_to_end.processes import ProcessCase, RunningCommand

CONNECTIONS = 10
RATE = 40
SECONDS = 4


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def children(pid: int) -> list[int]:
    """The processes that any thread of ``pid`` has started."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


class ClusterCase(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        self.proxy, self.connect = self.server("--role=echo")

    def load(self, cluster: str, *options: str) -> RunningCommand:
        return self.twistd(
            *("tlsclient", f"--connect={self.connect}", "--status=unix:status"),
            *(f"--cluster={cluster}", "--scenario=pingpong", f"--conn={CONNECTIONS}"),
            *(f"--rate={RATE}", f"--duration={SECONDS}", "--open-for=1", "--json=result.json"),
            *(self.certs, *options),
        )

    def document(self) -> Any:
        return json.loads(Path(self.home, "result.json").read_text())


class LocalCluster(ClusterCase):
    def test_the_figures_are_those_of_all_shards(self) -> None:
        load = self.load("local", "--workers=2")
        self.assertEqual(load.wait(), 0, load.output)
        for number in (1, 2):
            found = re.search(rf"shard {number} of 2 on \S+, began [+-]\d+ ms: 5 conn", load.output)
            self.assertTrue(found, load.output)
        self.assertRegex(load.output, r"its clock was \d+\.\d ± \d+\.\d ms (ahead|behind)")
        self.assertIn("lost 0 bytes", load.output)
        self.assertIn(f"summary: {CONNECTIONS} connections, ", self.summary(self.proxy))
        document = self.document()
        (window,) = document["runs"][0]["windows"]
        self.assertEqual((window["done"], window["missed"]), (RATE * SECONDS, 0))
        self.assertEqual([each["number"] for each in document["shards"]], [1, 2])


class WorkerKilled(ClusterCase):
    """Its nanny starts another worker in its place, and a task would be run once more by that."""

    def setUp(self) -> None:
        super().setUp()
        dask = (sys.executable, "-m")
        loopback = "--host=127.0.0.1"
        scheduler = self.start(
            *dask, "distributed.cli.dask_scheduler", loopback, "--port=0", "--no-dashboard"
        )
        self.scheduler = scheduler.wait_for_line(r"Scheduler at: +(tcp://127\.0\.0\.1:\d+)")[1]
        self.nannies = [
            self.start(
                *(*dask, "distributed.cli.dask_worker", self.scheduler, loopback),
                *("--nanny", "--nthreads=1", "--no-dashboard", f"--local-directory={number}"),
            )
            for number in (1, 2)
        ]
        for nanny in self.nannies:
            nanny.wait_for_line("Registered to: +tcp://127.0.0.1")

    def workers(self) -> list[tuple[int, int]]:
        """The processes of the workers, each with that of its shard."""
        return [
            (worker, shard)
            for nanny in self.nannies
            for worker in children(nanny.pid)
            for shard in children(worker)
            if "shard_process" in command_line(shard)
        ]

    def test_its_shard_is_lost_and_nothing_is_started_twice(self) -> None:
        load = self.load(self.scheduler)
        load.wait_for_line("tlsclient: sending")
        (killed, shard), _ = self.workers()
        os.kill(killed, signal.SIGKILL)
        self.assertEqual(load.wait(), 1, load.output)
        (lost,) = re.findall(r"problem: shard (\d) lost: ", load.output)
        self.assertIn(f"shard {lost} of 2 on tcp://127.0.0.1:", load.output)
        self.assertIn("its last report, which is not in the figures: 5 conn", load.output)
        # The figures are those of the other, and whole.
        run = self.document()["runs"][0]
        self.assertEqual((run["connections"], run["secured"], run["lost"]), (5, 5, 0))
        (window,) = run["windows"]
        self.assertEqual((window["done"], window["missed"]), (RATE * SECONDS // 2, 0))
        self.assertEqual(window["latencies"]["round trip"]["count"], RATE * SECONDS // 2)
        # What the killed worker has started has ended with it.
        self.assertFalse(Path(f"/proc/{shard}").exists())
        # The server has seen each connection once.
        summary = self.summary(self.proxy)
        self.assertIn(f"summary: {CONNECTIONS} connections, {CONNECTIONS} secured, ", summary)


class Interrupted(ClusterCase):
    def test_ctrl_c_ends_the_load_with_what_was_done(self) -> None:
        load = self.load("local", "--workers=2", "--duration=50")
        load.wait_for_line("tlsclient: sending")
        load.signal_all(signal.SIGINT)
        self.assertEqual(load.wait(), -signal.SIGINT, load.output)
        self.assertIn("stopped before its end", load.output)
        self.assertNotIn("Traceback", load.output)
        self.assertIn(f"summary: {CONNECTIONS} connections, ", self.summary(self.proxy))
