from __future__ import annotations

from tests.web.workers_case import WorkersPagesCase, listed
from tlsdemo.proxy.worker_process import ANSWER_WITHIN
from tlsdemo.trace.model import Trace, lines_of
from tlsdemo.web.connection_list import MOST_KEPT, TraceUnavailable
from tlsdemo.web.live_feed import LARGEST_PART
from tlsdemo.web.worker_questions import FRESH, OLDEST, PATIENCE


class WorkerQuestionsTests(WorkersPagesCase):
    def test_workers_are_asked_once_for_all_who_ask(self) -> None:
        waiting = [self.questions.refresh() for _ in range(5)]
        self.assertEqual([len(self.questions_of(each)) for each in self.processes], [1, 1])
        self.tell(self.processes[0], 1)
        self.assertNoResult(waiting[0])
        self.tell(self.processes[1], 2)
        for each in waiting:
            self.successResultOf(each)
        self.successResultOf(self.questions.refresh())
        self.reactor.advance(FRESH)
        self.questions.refresh()
        self.assertEqual([len(self.questions_of(each)) for each in self.processes], [2, 2])

    def test_a_worker_that_is_slow_is_not_waited_for_and_not_asked_again(self) -> None:
        done = self.questions.refresh()
        self.tell(self.processes[0], 1)
        self.reactor.advance(PATIENCE)
        self.successResultOf(done)
        for _ in range(3):
            done = self.questions.refresh()
            self.tell(self.processes[0], 1)
            self.successResultOf(done)
            self.reactor.advance(FRESH)
        self.assertEqual(len(self.questions_of(self.processes[1])), 1)
        self.tell(self.processes[1], 4)
        self.assertEqual(self.figures.snapshot().secured, 5)

    def test_a_worker_that_does_not_answer_does_not_serve(self) -> None:
        self.refreshed(1, 2)
        self.assertEqual(self.figures.not_ready(), "")
        self.reactor.advance(FRESH)
        self.questions.refresh()
        self.tell(self.processes[0], 1)
        self.reactor.advance(ANSWER_WITHIN)
        self.assertEqual(self.figures.not_ready(), "1 of 2 workers serve")
        self.assertEqual(self.figures.figures().handshakes.count, 3)
        # What comes late was given up.
        self.tell(self.processes[1], 2)
        self.reactor.advance(FRESH)
        self.refreshed(1, 3)
        self.assertEqual(self.figures.not_ready(), "")
        self.assertEqual(self.figures.figures().handshakes.count, 4)

    def test_a_worker_that_hangs_is_asked_no_more_and_not_waited_for(self) -> None:
        self.refreshed(1, 2)
        self.reactor.advance(FRESH)
        self.questions.refresh()
        self.tell(self.processes[0], 1)
        self.reactor.advance(ANSWER_WITHIN)
        asked = len(self.asked(self.processes[1]))
        for _ in range(20):
            self.reactor.advance(FRESH)
            done = self.questions.refresh()
            self.assertNoResult(done)
            self.tell(self.processes[0], 1)
            self.successResultOf(done)
        self.assertEqual(len(self.asked(self.processes[1])), asked)
        self.assertEqual(self.figures.not_ready(), "1 of 2 workers serve")

    def test_others_are_waited_for_if_the_first_worker_hangs(self) -> None:
        self.refreshed(1, 2)
        self.reactor.advance(FRESH)
        self.questions.refresh()
        self.tell(self.processes[1], 2)
        self.reactor.advance(ANSWER_WITHIN)
        done = self.questions.refresh()
        self.assertNoResult(done)
        self.tell(self.processes[1], 3)
        self.successResultOf(done)

    def test_a_new_worker_is_asked_at_once_however_long_the_others_need(self) -> None:
        self.refreshed(1, 2, took=1.0)
        self.processes[0].die(signal=9)
        self.reactor.advance(1.0)
        self.assertEqual(len(self.questions_of(self.processes[2])), 1)
        self.assertEqual(self.figures.not_ready(), "1 of 2 workers serve")
        self.tell(self.processes[2], 0)
        self.assertEqual(self.figures.not_ready(), "")

    def test_figures_are_not_older_than_said(self) -> None:
        self.refreshed(1, 2, took=1.0)
        self.reactor.advance(OLDEST - 0.01)
        self.successResultOf(self.questions.refresh())
        self.reactor.advance(0.02)
        self.questions.refresh()
        self.assertEqual([len(self.questions_of(each)) for each in self.processes], [2, 2])

    def test_why_an_answer_cannot_be_used_is_logged_once(self) -> None:
        with self.lines() as lines:
            for _ in range(3):
                self.questions.refresh()
                self.tell(self.processes[0], 1)
                self.tell(self.processes[1], 1, figures={"states": {}})
                self.reactor.advance(FRESH)
        self.assertEqual(
            lines,
            ["worker 2 answers what this version cannot use, so its newest figures are missing "
             "(KeyError: 'handshakes')"],
        )  # fmt: skip
        self.assertEqual(self.figures.not_ready(), "1 of 2 workers serve")

    def test_workers_that_need_long_are_asked_less_often(self) -> None:
        self.refreshed(1, 2, took=0.02)
        self.reactor.advance(0.02 / LARGEST_PART - 0.01)
        self.successResultOf(self.questions.refresh())
        self.assertEqual(len(self.questions_of(self.processes[0])), 1)
        self.reactor.advance(0.02)
        self.questions.refresh()
        self.assertEqual(len(self.questions_of(self.processes[0])), 2)

    def test_a_worker_that_ends_is_not_waited_for(self) -> None:
        done = self.questions.refresh()
        self.tell(self.processes[0], 1)
        self.processes[1].die(signal=9)
        self.successResultOf(done)

    def test_nothing_is_waited_for_after_the_end(self) -> None:
        done = self.questions.refresh()
        self.questions.stop()
        self.successResultOf(done)
        self.reactor.advance(PATIENCE)


class ConnectionsTests(WorkersPagesCase):
    def list_both(self) -> None:
        self.questions.refresh()
        for process, numbers in zip(self.processes, ((1, 3), (2, 4)), strict=True):
            connections = [listed(number, number * 10.0).as_json() for number in numbers]
            self.tell(process, 1, connections=connections)

    def numbers(self) -> list[int]:
        return [each.number for each in self.questions.connections.newest_first()]

    def test_are_those_of_all_workers_the_newest_first(self) -> None:
        self.list_both()
        self.assertEqual(self.numbers(), [4, 3, 2, 1])

    def test_are_not_more_than_those_of_one_process(self) -> None:
        self.questions.refresh()
        for process in self.processes:
            many = [listed(number, 0.0).as_json() for number in range(MOST_KEPT)]
            self.tell(process, 1, connections=many)
        self.assertEqual(len(self.numbers()), MOST_KEPT)

    def test_are_told_again_only_if_they_have_changed(self) -> None:
        self.list_both()
        changes = self.questions.connections.changes
        self.reactor.advance(FRESH)
        self.refreshed(1, 1)
        self.assertEqual([each["changes"] for each in self.questions_of(self.processes[0])],
                         [None, 0])  # fmt: skip
        self.assertEqual(self.questions.connections.changes, changes)
        self.assertEqual(self.numbers(), [4, 3, 2, 1])

    def test_of_a_worker_that_ends_are_forgotten(self) -> None:
        self.list_both()
        changes = self.questions.connections.changes
        self.processes[0].die(signal=9)
        self.assertEqual(self.numbers(), [4, 2])
        self.assertGreater(self.questions.connections.changes, changes)

    def test_their_diagrams_are_asked_for_once(self) -> None:
        self.list_both()
        asked = [self.questions.connections.trace(4) for _ in range(3)]
        self.assertEqual(self.questions_of(self.processes[0])[1:], [])
        self.assertEqual(self.questions_of(self.processes[1])[1:],
                         [{"ask": "connection", "number": 4}])  # fmt: skip
        trace = Trace("connection 4 from x", {"mode": "pair"})
        self.answer(self.processes[1], lines=list(lines_of(4, trace)))
        for each in asked:
            self.assertEqual(self.successResultOf(each), trace)
        self.assertEqual(self.successResultOf(self.questions.connections.trace(4)), trace)

    def test_their_diagrams_are_as_new_as_the_list(self) -> None:
        self.list_both()
        self.questions.connections.trace(4)
        self.reactor.advance(FRESH)
        self.questions.refresh()
        grown = listed(4, 40.0)._replace(seen=2).as_json()
        self.tell(self.processes[0], 1)
        # That of the first trace comes first.
        self.answer(self.processes[1], lines=[])
        self.tell(self.processes[1], 1, connections=[grown], changes=1)
        self.questions.connections.trace(4)
        self.assertEqual(
            [each["ask"] for each in self.questions_of(self.processes[1])],
            ["page", "connection", "page", "connection"],
        )

    def test_that_are_not_kept_have_none(self) -> None:
        self.list_both()
        self.assertIsNone(self.successResultOf(self.questions.connections.trace(5)))
        forgotten = self.questions.connections.trace(4)
        self.answer(self.processes[1], lines=[])
        self.assertIsNone(self.successResultOf(forgotten))

    def test_that_cannot_be_read_cannot_be_had_now(self) -> None:
        self.list_both()
        for answer in ({"lines": ["{"]}, {"error": "not understood"}):
            asked = [self.questions.connections.trace(4) for _ in range(2)]
            self.answer(self.processes[1], **answer)
            for each in asked:
                problem = self.failureResultOf(each, TraceUnavailable)
                self.assertEqual(str(problem.value), "worker 2 answers what cannot be read")

    def test_of_a_worker_that_does_not_answer_cannot_be_had_now(self) -> None:
        self.list_both()
        several = [self.questions.connections.trace(4) for _ in range(2)]
        self.reactor.advance(ANSWER_WITHIN)
        for asked in several:
            problem = self.failureResultOf(asked, TraceUnavailable)
            self.assertEqual(str(problem.value), "worker 2 does not answer")
        # It hangs, until it answers.
        self.failureResultOf(self.questions.connections.trace(4), TraceUnavailable)
        self.answer(self.processes[1], lines=[])
        self.questions.connections.trace(4)
        self.assertEqual(len(self.questions_of(self.processes[1])), 3)
        asked = self.questions.connections.trace(3)
        self.processes[0].die(signal=9)
        self.failureResultOf(asked, TraceUnavailable)
