from __future__ import annotations

import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeStatus
from tlsdemo.loadgen.status_client import ANSWER_WITHIN, StatusClient, StatusConnection
from tlsdemo.net import runtime_folder
from tlsdemo.reporting.snapshot import Snapshot


class StatusConnectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.service = FakeStatus({})
        self.status_client = StatusConnection(self.reactor)
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

    def test_an_error_of_the_server_fails_the_request(self) -> None:
        asked = self.status_client.ask(ask="nonsense")
        self.answer(b'{"error": "not understood: nonsense"}')
        problem = self.failureResultOf(asked, ValueError)
        self.assertEqual(problem.getErrorMessage(), "not understood: nonsense")

    def test_of_an_error_only_the_beginning_is_told(self) -> None:
        for error in ("x" * 10_000, ["x" * 10_000]):
            asked = self.status_client.ask(ask="nonsense")
            self.answer(json.dumps({"error": error}).encode())
            problem = self.failureResultOf(asked, ValueError)
            self.assertEqual(len(problem.getErrorMessage()), 200)

    def test_an_answer_that_is_too_long_ends_the_connection(self) -> None:
        asked = self.status_client.ask(ask="statistics")
        self.status_client.dataReceived(b"x" * (self.status_client.MAX_LENGTH + 1))
        self.failureResultOf(asked, ConnectionDone)

    def test_an_answer_of_another_kind_of_server_fails_the_request(self) -> None:
        strange = (
            *(b"HTTP/1.1 400 Bad Request", b"\xff\xfe", b"17", b"[]", b'{"ask": "statistics"}'),
            b'{"run":' * 5000,
        )
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
        failure = self.failureResultOf(first, TimeoutError)
        self.assertEqual(failure.getErrorMessage(), "it gave no answer within 30 s")
        self.failureResultOf(second, ConnectionAborted)
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


class StatusClientTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.snapshot = Snapshot(at=1.5, opened=3, failed={"truncated": 1})
        self.service = FakeStatus(
            {
                "statistics": lambda _: {"statistics": self.snapshot.as_json(), "listening": ["a"]},
                "run": lambda query: {"run": {"arrived": 1, "open": 0, "unknown": 0}},
            }
        )
        self.client = StatusClient(self.reactor, "tcp:192.0.2.1:8898")

    def begin(self, what: Coroutine[Deferred[Any], Any, Any]) -> Deferred[Any]:
        return Deferred.fromCoroutine(what)

    def accept(self) -> None:
        self.service.accept(self.reactor.attempts()[-1])

    def connect(self) -> None:
        connecting = self.begin(self.client.connect())
        self.accept()
        self.successResultOf(connecting)

    def test_it_connects_to_the_endpoint(self) -> None:
        self.connect()
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.1", 8898))

    def test_it_fails_if_nothing_listens(self) -> None:
        connecting = self.begin(self.client.connect())
        self.reactor.attempts()[0].refuse()
        self.failureResultOf(connecting, ConnectionRefusedError)
        self.client.close()

    def test_it_does_not_connect_in_a_folder_of_somebody_else(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        folder.chmod(0o755)
        self.patch(runtime_folder, "runtime_folder", lambda: folder)
        self.client = StatusClient(self.reactor, runtime_folder.status_endpoint(8899))
        self.failureResultOf(self.begin(self.client.connect()), PermissionError)
        self.assertEqual(self.reactor.attempts(), [])

    def test_a_query_connects(self) -> None:
        asking = self.begin(self.client.listening())
        self.accept()
        self.assertEqual(self.successResultOf(asking), ["a"])

    def test_a_snapshot_is_read_from_the_statistics(self) -> None:
        self.connect()
        asking = self.begin(self.client.snapshot())
        self.assertEqual(self.successResultOf(asking), self.snapshot)

    def test_a_number_that_none_can_be_is_refused(self) -> None:
        """Nothing else that arrives is printed or computed with."""
        self.connect()
        self.service.answers.clear()
        for number in ('"1"', "-1", "1e400", "NaN", "true", "null", "[]", "1" + "0" * 4200):
            for line in (
                f'{{"statistics": {{"opened": {number}}}}}',
                f'{{"statistics": {{"failed": {{"idle": {number}}}}}}}',
                f'{{"statistics": {{"failed": {number}}}}}',
                f'{{"statistics": {number}}}',
                '{"run": 1}',
            ):
                self.assert_refused(self.begin(self.client.snapshot()), line)
            for line in (
                f'{{"run": {{"unknown": 0, "open": {number}, "arrived": 0}}}}',
                f'{{"run": {number}}}',
                '{"run": {"unknown": 0, "open": 0}}',
            ):
                self.assert_refused(self.begin(self.client.run("a", 1, [])), line)

    def assert_refused(self, asked: Deferred[Any], answer: str) -> None:
        self.service.protocol.dataReceived(answer.encode() + b"\n")
        self.failureResultOf(asked, ValueError)

    def test_many_addresses_are_sent_in_parts(self) -> None:
        self.connect()
        for count, parts in (0, [0]), (200, [200]), (201, [200, 1]), (601, [200, 200, 200, 1]):
            self.service.requests.clear()
            peers = [f"192.0.2.1:{number}" for number in range(count)]
            asking = self.begin(self.client.run("x", 7, peers))
            self.assertEqual(self.successResultOf(asking)["arrived"], 1)
            asked = self.service.requests
            self.assertEqual([len(each["peers"]) for each in asked], parts)
            self.assertEqual([peer for each in asked for peer in each["peers"]], peers)
            more = [each.get("more", False) for each in asked]
            self.assertEqual(more, [True] * (len(parts) - 1) + [False])

    def test_all_parts_are_sent_again_on_a_new_connection(self) -> None:
        self.connect()
        del self.service.answers["run"]
        asking = self.begin(self.client.run("x", 7, ["a"] * 300))
        self.service.loseConnection()
        self.service.answers["run"] = lambda _: {"run": {"arrived": 1, "open": 0, "unknown": 0}}
        self.accept()
        self.successResultOf(asking)
        self.assertEqual([len(each["peers"]) for each in self.service.requests], [200, 200, 100])

    def test_it_connects_anew_only_once_for_a_query(self) -> None:
        self.connect()
        self.service.loseConnection()
        asking = self.begin(self.client.snapshot())
        self.service.answers.clear()
        self.accept()
        self.service.loseConnection()
        self.failureResultOf(asking, ConnectionDone)
        self.assertEqual(len(self.reactor.attempts()), 2)

    def test_it_does_not_connect_anew_if_there_was_no_answer_in_time(self) -> None:
        self.connect()
        self.service.answers.clear()
        asking = self.begin(self.client.snapshot())
        self.reactor.advance(ANSWER_WITHIN)
        self.failureResultOf(asking, TimeoutError)
        self.failureResultOf(self.begin(self.client.snapshot()), ConnectionAborted)
        self.assertEqual(len(self.reactor.attempts()), 1)

    def test_closing_it_closes_the_connection(self) -> None:
        self.connect()
        self.client.close()
        self.assertFalse(self.service.connected)
