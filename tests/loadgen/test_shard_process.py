from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, task
from tests.loadgen.test_shard import plan
from tests.support import certificates
from tlsdemo.certificates.files import PASSPHRASE
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.shard_process import (
    REPORT_EVERY,
    TOLD_WITHIN,
    ShardProcess,
    credentials_as_json,
    credentials_from,
)
from tlsdemo.net.child_process import environment
from tlsdemo.reporting.shard_result import ShardResult


class ShardProcessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.reactor.running = True
        self.output = StringTransport()
        self.process = ShardProcess(self.reactor, self.reactor.seconds)
        self.process.makeConnection(self.output)
        self.load = plan(
            parts=(task(connections=4, scenario="churn"),), windows=(Window(seconds=3.0),)
        )

    def receive(self, **message: object) -> None:
        self.process.dataReceived(json.dumps(message).encode() + b"\n")
        self.turn()

    def turn(self) -> None:
        for _ in range(6):
            self.reactor.advance(0)

    def said(self) -> list[dict[str, Any]]:
        lines = self.output.value().splitlines()
        self.output.clear()
        return [json.loads(line) for line in lines]

    def prepare(self) -> None:
        credentials = credentials_as_json(certificates().client)
        shard = self.load.shard(2, 2).as_json()
        self.receive(shard=shard, credentials=credentials, status=None)

    def test_it_is_ready_and_then_waits_to_be_told_when_to_start(self) -> None:
        self.prepare()
        self.assertEqual(self.said(), [{"ready": True}])
        self.reactor.advance(5.0)
        self.assertEqual(self.reactor.attempts(), [])
        self.receive(start_at=7.0)
        self.assertEqual(self.reactor.attempts(), [])
        self.reactor.advance(2.0)
        for _ in range(4):
            self.turn()
            self.reactor.advance(REPORT_EVERY)
        self.assertEqual(len(self.reactor.attempts()), 2)
        report = self.said()[-1]
        self.assertEqual((report["phase"], report["window"]), ("sending", 1))
        self.assertEqual(report["counters"]["begun"], 2)

    def test_its_last_word_is_the_result(self) -> None:
        self.prepare()
        self.receive(start_at=0.0)
        self.receive(stop=True)
        for attempt in self.reactor.attempts():
            attempt.refuse()
        self.turn()
        for _ in range(200):
            self.reactor.advance(0.25)
        last = self.said()[-1]
        result = ShardResult.from_json(last["result"])
        self.assertEqual((result.number, result.of, result.plan), (2, 2, self.load.digest))
        self.assertEqual(result.run.problem, "stopped before its end")

    def test_it_can_be_aborted(self) -> None:
        self.prepare()
        self.receive(start_at=0.0)
        for _ in range(5):
            self.reactor.advance(0.25)
        transports = [attempt.accept() for attempt in self.reactor.attempts()]
        self.receive(stop=True)
        self.receive(abort=True)
        for _ in range(5):
            self.reactor.advance(0.25)
        self.assertTrue(transports)
        self.assertTrue(all(each.aborted for each in transports))

    def test_what_it_cannot_do_is_a_problem(self) -> None:
        self.receive(shard={"load": {}}, credentials={}, status=None)
        (problem,) = self.said()
        self.assertIn("BadPlan: ", problem["problem"])

    def test_it_does_not_wait_for_ever_to_be_told(self) -> None:
        self.prepare()
        for _ in range(int(TOLD_WITHIN / 10) + 1):
            self.reactor.advance(10.0)
            self.turn()
        self.assertIn("was not told within 120 s", self.said()[-1]["result"]["runs"][0]["problem"])

    def test_it_exits_when_its_input_ends(self) -> None:
        self.process.connectionLost()
        self.assertTrue(self.reactor.hasStopped)

    def test_credentials_survive_json_but_for_the_passphrase(self) -> None:
        client = certificates().client
        self.assertEqual(credentials_from(credentials_as_json(client)), client)
        self.patch(os, "environ", {**os.environ, PASSPHRASE: "secret"})
        self.assertEqual(credentials_from(credentials_as_json(client)).passphrase, b"secret")


class ProcessTests(SynchronousTestCase):
    def test_it_exits_with_its_input_and_prints_nothing(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tlsdemo.loadgen.shard_process"],
            env=environment(), input=b"", capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
