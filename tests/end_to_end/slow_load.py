"""The load client against servers with a known answer."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

from tests.end_to_end.known_server import KnownServer
from tests.end_to_end.processes import ProcessCase, RunningCommand, children


class LoadCase(ProcessCase):
    def known(self, **settings: Any) -> KnownServer:
        server = KnownServer(**settings)
        self.addCleanup(server.stop)
        return server

    def load(self, server: KnownServer, *options: str) -> RunningCommand:
        return self.twistd(
            *("tlsclient", server.connect, "--server-name=localhost", "--status=none", self.certs),
            *("--workers=1", "--json=result.json", *options),
        )

    def result(self, command: RunningCommand) -> Any:
        command.wait()
        (run,) = json.loads(Path(self.home, "result.json").read_text())["runs"]
        return run


class KnownAnswers(LoadCase):
    def test_an_answer_after_10_ms_has_a_round_trip_of_10_ms(self) -> None:
        run = self.result(self.load(
            self.known(answer_after=0.01),
            *("--scenario=pingpong", "--conn=4", "--rate=40", "--duration=3", "--warm-up=0.5"),
        ))  # fmt: skip
        (window,) = run["windows"]
        self.assertEqual((window["loop"], window["done"] + window["missed"]), ("open", 120))
        self.assertGreaterEqual(window["latencies"]["round trip"]["p50"], 0.01)

    def test_dropped_connections_are_failures_by_their_cause_and_in_no_latency(self) -> None:
        server = self.known(drop=10)
        command = self.load(
            server, "--scenario=churn", "--packets=1", "--conn=8", "--rate=50", "--duration=4"
        )
        run = self.result(command)
        self.assertEqual(server.accepted, 200)
        self.assertEqual(sum(run["failed"].values()), 20, run["failed"])
        self.assertLessEqual({*run["failed"]}, {"handshake interrupted", "truncated"})
        (window,) = run["windows"]
        self.assertEqual(window["done"], 180)
        # Old versions of pyOpenSSL do not tell the group.
        self.assertIn(run["groups"], ({"x25519": 180}, {"unknown group": 180}))


class OurServer(LoadCase):
    def test_receives_every_byte_that_was_encrypted_before(self) -> None:
        for mode in ("starttls", "pair", "wrapped"):
            server, where = self.server(f"--mode={mode}")
            command = self.twistd(
                *("tlsclient", f"--connect={where}", "--status=unix:status", self.certs),
                *("--workers=2", "--conn=20", "--packets=5000", "--prefill", f"--mode={mode}"),
            )
            self.assertEqual(command.wait(), 0, command.output)
            self.assertIn("sent 3,200,000, received 3,200,000, lost 0", command.output)
            self.summary(server)


class TheGenerator(LoadCase):
    def test_says_so_if_its_worker_was_throttled(self) -> None:
        command = self.load(
            self.known(), "--scenario=pingpong", "--conn=2", "--rate=50", "--duration=3"
        )
        command.wait_for_line("sending")
        (worker,) = children(command.pid)
        stopping = threading.Event()

        def throttle() -> None:
            while not stopping.wait(0.1):
                os.kill(worker, signal.SIGSTOP)
                stopping.wait(0.1)
                os.kill(worker, signal.SIGCONT)

        thread = threading.Thread(target=throttle)
        thread.start()
        try:
            command.wait_for_line("closed loop|open loop")
        finally:
            stopping.set()
            thread.join()
        command.wait()
        self.assertRegex(command.output, r"warning: worker 1 was \d+ ms late for 1 % of the time")
