from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.stacks.stack_configs import config
from tests.net.fake_processes import FakeProcessReactor
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.lab.stacks.stack_process import (
    GRACE,
    RunningStack,
    StackEvent,
    StackFailed,
    start_stack,
)

FIRST = b'{"port": 4433, "versions": {"Node": "1"}}\n'
EVENT = b'{"at": 1.5, "event": "secure", "facts": {"peer": true}}\n'


class StackProcessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeProcessReactor()
        self.started: Deferred[RunningStack] = start_stack(self.reactor, "node-tlssocket", config())
        (self.program,) = self.reactor.processes

    def printed(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.program.protocol.outReceived(chunk)

    def ends(self, status: int = 0, signal: int | None = None) -> None:
        self.program.die(status=status, signal=signal)

    def running(self) -> RunningStack:
        self.printed(FIRST)
        return self.successResultOf(self.started)

    def test_the_last_argument_is_the_configuration(self) -> None:
        self.assertEqual(StackConfig.from_json(self.program.arguments[-1]), config())
        self.running()

    def test_it_has_started_once_it_prints_its_port(self) -> None:
        self.assertNoResult(self.started)
        running = self.running()
        self.assertEqual((running.port, running.versions), (4433, {"Node": "1"}))

    def test_its_events_are_returned_when_it_has_ended_whatever_the_chunks_of_output(self) -> None:
        running = self.running()
        self.printed(*(EVENT[at : at + 7] for at in range(0, len(EVENT), 7)))
        self.assertNoResult(running.ended)
        self.ends()
        expected = [StackEvent(1.5, "secure", {"peer": True})]
        self.assertEqual(self.successResultOf(running.ended), expected)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def failed(self, deferred: Deferred[Any]) -> str:
        return str(self.failureResultOf(deferred, StackFailed).value)

    def test_the_last_line_on_stderr_says_why_it_did_not_start(self) -> None:
        self.program.protocol.errReceived(b"Traceback\n  more\nOSError: no room\n")
        self.ends(1)
        self.assertEqual(
            self.failed(self.started), "the peer node-tlssocket did not start: OSError: no room"
        )

    def test_ending_without_any_output_is_reported(self) -> None:
        self.ends()
        self.assertIn("it ended before it listened", self.failed(self.started))

    def test_the_last_line_on_stderr_says_why_it_failed(self) -> None:
        running = self.running()
        self.program.protocol.errReceived(b"Error: out of luck")
        self.ends(1)
        self.assertIn("failed: Error: out of luck", self.failed(running.ended))
        self.assertEqual(running.errors, "Error: out of luck")

    def test_a_program_with_invalid_output_is_killed(self) -> None:
        running = self.running()
        self.printed(b"hello\n")
        self.assertEqual(self.program.signals, ["KILL"])
        self.ends(signal=9)
        self.assertIn("it printed b'hello'", self.failed(running.ended))

    def test_a_program_that_does_not_end_in_time_is_killed(self) -> None:
        running = self.running()
        self.reactor.advance(config().timeout + GRACE - 1)
        self.assertEqual(self.program.signals, [])
        self.reactor.advance(1)
        self.assertEqual(self.program.signals, ["KILL"])
        self.ends(signal=9)
        self.assertIn("it did not end by itself", self.failed(running.ended))

    def test_a_program_that_has_ended_is_not_killed(self) -> None:
        running = self.running()
        self.ends()
        running.kill()
        self.assertEqual(self.program.signals, [])


class StackConfigTests(SynchronousTestCase):
    def test_missing_fields_have_their_defaults(self) -> None:
        read = StackConfig.from_json(json.dumps({"certificate": "c", "key": "k"}))
        self.assertEqual(read, StackConfig("c", "k"))
