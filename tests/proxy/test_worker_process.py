from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from tests.net.fake_processes import FakeProcess
from tests.proxy.test_workers import WorkersCase
from tlsdemo.proxy.worker_process import (
    ANSWER_WITHIN,
    CHECK_EVERY,
    HANGS_FOR,
    START_WITHIN,
    NoAnswer,
    WorkerProcess,
)
from tlsdemo.reporting.snapshot import Snapshot

HANGS = (
    "worker 1 (process 4711) hangs: it has not answered for 5 s; if it does not within 25 s, it "
    "is killed and replaced"
)


class WorkerCase(WorkersCase):
    """The first of two workers; the other one answers everything."""

    @property
    def process(self) -> FakeProcess:
        return self.processes[0]

    @property
    def worker(self) -> WorkerProcess:
        return self.workers.processes[0]

    def other_answers(self) -> None:
        other = self.processes[1]
        answered = getattr(other, "answered", 0)
        questions = self.asked(other)[answered:]
        for each in questions:
            self.answer(other, **({"statistics": {"lag": 0.0}} if each["ask"] != "alive" else {}))
        other.answered = answered + len(questions)  # type: ignore[attr-defined]

    def pass_time(self, seconds: float, step: float = 0.5) -> None:
        for _ in range(int(seconds / step)):
            self.reactor.advance(step)
            self.other_answers()

    def has_answered(self) -> None:
        """It has answered once."""
        self.worker.ask(dict, ask="alive")
        self.answer(self.process)


class HangingTests(WorkerCase):
    def test_one_that_is_asked_nothing_is_asked_whether_it_lives(self) -> None:
        self.workers._looping.stop()
        for _ in range(4):
            self.reactor.advance(CHECK_EVERY)
            self.assertEqual(self.asked(self.process)[-1], {"ask": "alive"})
            self.answer(self.process)
        self.assertEqual(len(self.asked(self.process)), 4)
        self.assertEqual(self.process.signals, [])

    def test_one_that_says_nothing_hangs_which_is_said_once_and_is_asked_no_more(self) -> None:
        self.has_answered()
        with self.lines() as lines:
            self.pass_time(CHECK_EVERY + ANSWER_WITHIN)
            asked = len(self.asked(self.process))
            self.pass_time(15)
        self.assertEqual(lines, [HANGS])
        self.assertEqual(len(self.asked(self.process)), asked)
        self.failureResultOf(self.worker.ask(dict, ask="alive"), TimeoutError)

    def test_one_that_hangs_is_killed_and_replaced(self) -> None:
        self.has_answered()
        self.pass_time(CHECK_EVERY + ANSWER_WITHIN)
        with self.lines() as lines:
            self.pass_time(HANGS_FOR)
            self.assertEqual(self.process.signals, ["KILL"])
            self.process.die(signal=9)
        self.assertEqual(
            lines,
            ["worker 1 has not answered for 35 s, and is killed",
             "worker 1 ended by signal 9; its 0 open connections are lost, and it is replaced now"],
        )  # fmt: skip
        self.reactor.advance(0)
        self.assertEqual(len(self.processes), 3)

    def test_one_that_goes_on_in_time_is_let_live(self) -> None:
        self.has_answered()
        self.pass_time(CHECK_EVERY + ANSWER_WITHIN)
        with self.lines() as lines:
            self.count(self.process)
        self.assertEqual(lines, ["worker 1 answers again"])
        asked = len(self.asked(self.process))
        self.pass_time(1)
        self.assertEqual(self.process.signals, [])
        answer = self.worker.ask(dict, ask="alive")
        self.assertGreater(len(self.asked(self.process)), asked)
        self.reactor.advance(HANGS_FOR)
        self.assertEqual(self.process.signals, [])
        self.failureResultOf(answer, TimeoutError)

    def test_one_that_is_slow_but_answers_does_not_hang(self) -> None:
        self.has_answered()
        with self.lines() as lines:
            first = self.worker.ask(dict, ask="alive")
            second = self.worker.ask(dict, ask="alive")
            self.reactor.advance(ANSWER_WITHIN - 0.5)
            self.answer(self.process)
            self.reactor.advance(0.5)
        self.successResultOf(first)
        self.failureResultOf(second, TimeoutError)
        self.assertEqual(lines, [])

    def test_one_that_starts_may_take_longer_but_not_for_ever(self) -> None:
        with self.lines() as lines:
            self.pass_time(START_WITHIN - 2, 2.0)
            self.assertEqual((lines, self.process.signals), ([], []))
            self.pass_time(2)
        self.assertEqual(lines, ["worker 1 has not answered for 300 s, and is killed"])
        self.assertEqual(self.process.signals, ["KILL"])
        self.assertLess(len(self.asked(self.process)), 150)

    def test_one_that_hangs_does_not_hold_up_the_end(self) -> None:
        self.has_answered()
        self.pass_time(CHECK_EVERY + ANSWER_WITHIN)
        stopped = self.end()
        final = {"statistics": Snapshot().as_json(), "open_at_stop": 0, "lag": 0.0}
        self.answer(self.processes[1], final=final)
        self.processes[1].die()
        self.reactor.advance(ANSWER_WITHIN)
        self.assertEqual(self.process.signals, ["TERM", "KILL"])
        self.process.die(signal=9)
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_one_that_hangs_and_goes_on_may_end_in_order(self) -> None:
        self.has_answered()
        self.pass_time(CHECK_EVERY + ANSWER_WITHIN)
        self.end()
        self.count(self.process)
        self.reactor.advance(ANSWER_WITHIN)
        self.assertEqual(self.process.signals, ["TERM"])


class SayingTests(WorkerCase):
    def broken(self, line: bytes) -> list[str]:
        """Have it say a line, expect that it is killed, and return what is logged."""
        with self.lines() as lines:
            asked: Deferred[Any] = self.worker.ask(dict, ask="alive")
            self.process.protocol.outReceived(line + b"\nmore\n")
            self.assertEqual(self.process.signals, ["KILL"])
            self.failureResultOf(self.worker.ask(dict, ask="alive"), TimeoutError)
            self.process.die(signal=9)
            asked.addErrback(lambda _: None)
        self.assertEqual(len(lines), 2)
        self.assertIn("worker 1 ended by signal 9", lines[1])
        return list(lines)

    def test_one_that_says_what_is_no_answer_is_replaced(self) -> None:
        for number, line in enumerate((b"{", b"[]", b"\xff\x00", b"[" * 100_000), 1):
            said, _ = self.broken(line)
            self.assertEqual(
                said, f"worker 1 says what is no answer, and is killed: {line[:100]!r}"
            )
            self.reactor.advance(30)
            self.assertEqual(len(self.processes), 2 + number)
            # Look at the next one.
            self.reactor.processes[0] = self.processes[-1]

    def test_one_that_answers_what_was_not_asked_is_replaced(self) -> None:
        with self.lines() as lines:
            self.answer(self.process)
        self.assertEqual(lines, ["worker 1 says what is no answer, and is killed: b'{}'"])
        self.assertEqual(self.process.signals, ["KILL"])

    def test_why_an_answer_cannot_be_used_is_logged(self) -> None:
        for answer, why in (
            ({"error": "not understood"}, "ValueError: not understood"),
            ({"statistics": {"opened": -1}}, "ValueError: -1 is not a counter"),
            ({}, "KeyError: 'statistics'"),
        ):
            with self.lines() as lines:
                asked = self.worker.ask(lambda each: each["statistics"], ask="statistics")
                self.answer(self.process, **answer)
            self.failureResultOf(asked, NoAnswer)
            (line,) = lines
            text = "answers what this version cannot use, so its newest figures are missing"
            self.assertEqual(line, f"worker 1 {text} ({why})")
        self.assertEqual(self.process.signals, [])

    def test_last_words_that_cannot_be_used_are_said_and_it_is_replaced(self) -> None:
        for number, final in enumerate((1, {}, {"statistics": {}, "open_at_stop": "x"}), 1):
            with self.lines() as lines:
                self.answer(self.processes[-1], final=final)
                self.processes[-1].die()
            self.assertIn("ends with counters that this version cannot use", lines[0])
            self.reactor.advance(30)
            self.assertEqual(len(self.processes), 2 + number)

    def test_what_it_logs_is_cut_off(self) -> None:
        text = json.dumps({"level": "info", "text": "x" * 100_000}).encode()
        with self.lines() as lines:
            self.process.protocol.errReceived(text + b"\n")
        (line,) = lines
        self.assertLess(len(line), 70_000)
