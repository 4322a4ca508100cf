from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeStatus
from tlsdemo.loadgen.status_client import ANSWER_WITHIN, StatusClient, connect_status_client
from tlsdemo.reporting.snapshot import Snapshot


class InquiryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.service = FakeStatus({})
        self.status_client = StatusClient(self.reactor)
        self.service.protocol = self.status_client
        self.status_client.makeConnection(self.service)

    def answer(self, line: bytes) -> None:
        self.status_client.dataReceived(line + b"\n")

    def test_a_question_is_a_line_of_json(self) -> None:
        self.status_client.ask(ask="run", name="a", peers=["b"])
        self.assertEqual(self.service.questions, [{"ask": "run", "name": "a", "peers": ["b"]}])

    def test_answers_belong_to_the_questions_in_their_order(self) -> None:
        first, second = (
            self.status_client.ask(ask="run", name="a"),
            self.status_client.ask(ask="statistics"),
        )
        self.answer(b'{"run": 1}')
        self.assertEqual(self.successResultOf(first), {"run": 1})
        self.assertNoResult(second)
        self.answer(b'{"statistics": 2}')
        self.assertEqual(self.successResultOf(second), {"statistics": 2})

    def test_a_snapshot_is_what_the_statistics_say(self) -> None:
        figures = Snapshot(at=1.5, opened=3, failed={"truncated": 1})
        self.service.answers["statistics"] = lambda _: {"statistics": figures.as_json()}
        asking: Coroutine[Deferred[Any], Any, Snapshot] = self.status_client.snapshot()
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(asking)), figures)

    def test_a_question_that_is_not_understood_fails_with_the_servers_reason(self) -> None:
        asked = self.status_client.ask(ask="nonsense")
        self.answer(b'{"error": "not understood: nonsense"}')
        problem = self.failureResultOf(asked, ValueError)
        self.assertEqual(problem.getErrorMessage(), "not understood: nonsense")

    def test_somebody_else_is_not_taken_for_a_status_service(self) -> None:
        strange = (b"HTTP/1.1 400 Bad Request", b"\xff\xfe", b"17", b"[]", b'{"ask": "statistics"}')
        for line in strange:
            asked = self.status_client.ask(ask="statistics")
            self.answer(line)
            problem = self.failureResultOf(asked, ValueError).getErrorMessage()
            self.assertIn("is no answer of a tlsdemo status service", problem)

    def test_what_nobody_asked_for_is_passed_over(self) -> None:
        self.answer(b'{"run": 1}')
        asked = self.status_client.ask(ask="run")
        self.assertNoResult(asked)

    def test_when_the_connection_is_lost_nobody_is_left_waiting(self) -> None:
        asked = [self.status_client.ask(ask="run"), self.status_client.ask(ask="run")]
        self.service.loseConnection()
        for each in asked:
            self.failureResultOf(each, ConnectionDone)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_asking_after_that_fails_at_once(self) -> None:
        self.service.loseConnection()
        self.failureResultOf(self.status_client.ask(ask="run"), ConnectionDone)

    def test_a_service_that_does_not_answer_in_time_is_given_up(self) -> None:
        first, second = self.status_client.ask(ask="run"), self.status_client.ask(ask="run")
        self.reactor.advance(ANSWER_WITHIN)
        self.failureResultOf(first, TimeoutError)
        self.failureResultOf(second, ConnectionDone)
        self.assertTrue(self.service.aborted)

    def test_one_that_answers_in_time_may_be_asked_again_much_later(self) -> None:
        asked = self.status_client.ask(ask="run")
        self.answer(b'{"run": 1}')
        self.reactor.advance(10 * ANSWER_WITHIN)
        self.assertEqual(self.successResultOf(asked), {"run": 1})
        self.assertFalse(self.service.aborted)

    def test_it_closes_when_it_asks_no_more(self) -> None:
        self.status_client.close()
        self.assertFalse(self.service.connected)


class Connecting(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.inquiring = connect_status_client(self.reactor, "tcp:192.0.2.1:8898")
        (self.attempt,) = self.reactor.attempts()

    def test_it_connects_to_where_it_is_told(self) -> None:
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.1", 8898))
        FakeStatus({}).accept(self.attempt)
        self.assertIsInstance(self.successResultOf(self.inquiring), StatusClient)

    def test_it_fails_if_nobody_listens(self) -> None:
        self.attempt.refuse()
        self.failureResultOf(self.inquiring, ConnectionRefusedError)
