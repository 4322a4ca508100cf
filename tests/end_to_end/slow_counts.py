"""What the load client and the server have counted of the same load, for every scenario."""

from __future__ import annotations

import json
import os
import re
import socket
from collections import Counter
from pathlib import Path
from typing import Any

from tests.end_to_end.processes import TIMEOUT, ProcessCase, RunningCommand
from tlsdemo.reporting.load_counters import LoadCounters

LOADS: dict[str, tuple[str, ...]] = {
    # Of each, the window ends while work is under way.
    "stream": (),
    "pingpong": ("--pipeline=3", "--rate=400"),
    "churn": ("--packets=2", "--resume"),
    "idle": ("--trickle=0.1",),
    "mixed": ("--mix=stream=1,pingpong=1@50,churn=1,idle=1",),
}


class BothEnds(ProcessCase):
    def load(self, scenario: str, source: str, *options: str) -> RunningCommand:
        return self.twistd(
            *("tlsclient", f"--connect={self.where}", "--status=unix:status", self.certs),
            *(f"--scenario={scenario}", f"--json={scenario}.json", f"--source={source}"),
            *("--conn=4", "--workers=1", "--duration=0.4", "--quiet", *options),
        )

    def result(self, scenario: str) -> Any:
        return json.loads(Path(self.home, f"{scenario}.json").read_text())

    def logged(self, output: str, source: str) -> Counter[str]:
        """The names of what the server has logged of the connections from an address."""
        return Counter(re.findall(rf"#\d+ {source}:\d+ \+\S+ (closed how=\w+|[\w ]+)", output))

    def status(self) -> Any:
        """What the server has counted until now."""
        with socket.socket(socket.AF_UNIX) as client, client.makefile("rw") as file:
            client.settimeout(TIMEOUT)
            # Relative to where trial runs: the path of a UNIX socket has at most 107 bytes.
            client.connect(os.path.relpath(self.home / "status"))
            file.write('{"ask": "statistics"}\n')
            file.flush()
            return json.loads(file.readline())["statistics"]

    def test_count_the_same(self) -> None:
        """All at once, each from an address of its own: starting them takes most of the time."""
        server, self.where = self.server("--role=echo", "--log-first=100000")
        sources = {name: f"127.0.0.{number}" for number, name in enumerate(LOADS, 2)}
        running = {
            name: self.load(name, sources[name], *options) for name, options in LOADS.items()
        }
        for name, client in running.items():
            self.assertEqual(client.wait(), 0, (name, client.output))
        counted = self.status()
        summary = self.summary(server)
        runs = {name: self.result(name)["runs"][0] for name in LOADS}
        for name, run in runs.items():
            counters = run["counters"]
            begun = counters["begun"]
            self.assertGreaterEqual(begun, 4, name)
            self.assertEqual((counters["secured"], counters["clean"]), (begun, begun), name)
            seen = self.logged(server.output, sources[name])
            for event in ("connected", "secure agreed", "closed how=clean"):
                self.assertEqual(seen[event], begun, (name, seen))
            # This server echoes.
            self.assertEqual(counters["sent"], counters["received"], name)
            self.assertGreater(counters["sent"], 0, name)
            self.assertEqual(run["arrived"], None if name == "churn" else counters["sent"], name)
            self.assertEqual((run["lost"] or 0, run["server_failed"]), (0, {}), name)
        total = LoadCounters.total(LoadCounters.from_json(run["counters"]) for run in runs.values())
        self.assertEqual(
            (counted["opened"], counted["secured"], counted["clean"], counted["open"]),
            (total.begun, total.begun, total.begun, 0),
        )
        self.assertEqual((counted["bytes_in"], counted["bytes_out"]), (total.sent, total.received))
        # The client writes a record for each packet.
        self.assertEqual(counted["records"], total.packets)
        self.assertIn(
            f"summary: {total.begun} connections, {total.begun} secured, {total.begun} ended in "
            "order, failed 0, 0 open when it was stopped", summary,
        )  # fmt: skip
        (window,) = runs["pingpong"]["windows"]
        self.assertEqual(window["done"] + window["missed"], 160)
        self.assertEqual(runs["pingpong"]["counters"]["packets"], window["done"])
