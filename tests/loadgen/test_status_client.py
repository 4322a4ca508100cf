from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeStatus
from tlsdemo.loadgen.status_client import ANSWER_WITHIN, StatusClient, connect_status_client
from tlsdemo.reporting.snapshot import Snapshot


class StatusClientTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.service = FakeStatus({})
        self.status_client = StatusClient(self.reactor)
        self.service.protocol = self.status_client
        self.status_client.makeConnection(self.service)

    def answer(self, line: bytes) -> None:
        self.status_client.dataReceived(line + b"\n")

    def test_a_request_is_a_line_of_json(self) -> None:
        self.status_client.ask(ask="run", name="a", peers=["b"])
        self.assertEqual(self.service.requests, [{"ask": "run", "name": "a", "peers": ["b"]}])

    def test_answers_are_matched_to_requests_in_their_order(self) -> None:
        first, second = (
            self.status_client.ask(ask="run", name="a"),
            self.status_client.ask(ask="statistics"),
        )
        self.answer(b'{"run": 1}')
        self.assertEqual(self.successResultOf(first), {"run": 1})
        self.assertNoResult(second)
        self.answer(b'{"statistics": 2}')
        self.assertEqual(self.successResultOf(second), {"statistics": 2})

    def test_a_snapshot_is_read_from_the_statistics(self) -> None:
        snapshot = Snapshot(at=1.5, opened=3, failed={"truncated": 1})
        self.service.answers["statistics"] = lambda _: {"statistics": snapshot.as_json()}
        asking: Coroutine[Deferred[Any], Any, Snapshot] = self.status_client.snapshot()
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(asking)), snapshot)

    def test_a_number_that_none_can_be_is_refused(self) -> None:
        """Nothing else that arrives is printed or computed with."""
        for number in ('"1"', "-1", "1e400", "NaN", "true", "null", "[]", "1" + "0" * 4200):
            for line in (
                f'{{"statistics": {{"opened": {number}}}}}',
                f'{{"statistics": {{"failed": {{"idle": {number}}}}}}}',
                f'{{"statistics": {{"failed": {number}}}}}',
                f'{{"statistics": {number}}}',
            ):
                asking: Coroutine[Deferred[Any], Any, Snapshot] = self.status_client.snapshot()
                asked = Deferred.fromCoroutine(asking)
                self.answer(line.encode())
                self.failureResultOf(asked, ValueError)
            for line in (f'{{"run": {{"open": {number}}}}}', f'{{"run": {number}}}'):
                running: Coroutine[Deferred[Any], Any, Any] = self.status_client.run("a", 1, [])
                asked = Deferred.fromCoroutine(running)
                self.answer(line.encode())
                self.failureResultOf(asked, ValueError)

    def test_an_error_of_the_server_fails_the_request(self) -> None:
        asked = self.status_client.ask(ask="nonsense")
        self.answer(b'{"error": "not understood: nonsense"}')
        problem = self.failureResultOf(asked, ValueError)
        self.assertEqual(problem.getErrorMessage(), "not understood: nonsense")

    def test_an_answer_of_another_kind_of_server_fails_the_request(self) -> None:
        strange = (b"HTTP/1.1 400 Bad Request", b"\xff\xfe", b"17", b"[]", b'{"ask": "statistics"}')
        for line in strange:
            asked = self.status_client.ask(ask="statistics")
            self.answer(line)
            problem = self.failureResultOf(asked, ValueError).getErrorMessage()
            self.assertIn("is no answer of a tlsdemo status service", problem)

    def test_an_answer_without_a_request_is_ignored(self) -> None:
        self.answer(b'{"run": 1}')
        asked = self.status_client.ask(ask="run")
        self.assertNoResult(asked)

    def test_when_the_connection_is_lost_all_requests_fail(self) -> None:
        asked = [self.status_client.ask(ask="run"), self.status_client.ask(ask="run")]
        self.service.loseConnection()
        for each in asked:
            self.failureResultOf(each, ConnectionDone)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_a_request_after_the_connection_is_lost_fails_at_once(self) -> None:
        self.service.loseConnection()
        self.failureResultOf(self.status_client.ask(ask="run"), ConnectionDone)

    def test_without_an_answer_in_time_the_connection_is_aborted(self) -> None:
        first, second = self.status_client.ask(ask="run"), self.status_client.ask(ask="run")
        self.reactor.advance(ANSWER_WITHIN)
        self.failureResultOf(first, TimeoutError)
        self.failureResultOf(second, ConnectionDone)
        self.assertTrue(self.service.aborted)

    def test_an_answer_in_time_cancels_the_timeout(self) -> None:
        asked = self.status_client.ask(ask="run")
        self.answer(b'{"run": 1}')
        self.reactor.advance(10 * ANSWER_WITHIN)
        self.assertEqual(self.successResultOf(asked), {"run": 1})
        self.assertFalse(self.service.aborted)

    def test_closing_it_closes_the_connection(self) -> None:
        self.status_client.close()
        self.assertFalse(self.service.connected)


class Connecting(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.connecting = connect_status_client(self.reactor, "tcp:192.0.2.1:8898")
        (self.attempt,) = self.reactor.attempts()

    def test_it_connects_to_the_endpoint(self) -> None:
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.1", 8898))
        FakeStatus({}).accept(self.attempt)
        self.assertIsInstance(self.successResultOf(self.connecting), StatusClient)

    def test_it_fails_if_nothing_listens(self) -> None:
        self.attempt.refuse()
        self.failureResultOf(self.connecting, ConnectionRefusedError)
