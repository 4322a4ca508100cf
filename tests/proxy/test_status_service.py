from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.status_service import (
    MAX_CONNECTIONS,
    MAX_QUERY,
    Answer,
    Answers,
    Query,
    StatusFactory,
)


def weather(query: Query) -> Answer:
    if "where" not in query:
        raise ValueError("weather needs a place")
    return {"weather": f"rain in {query['where']}"}


TIME = {"time": 12}
QUERY = b'{"ask": "time"}\n'


class StatusServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.factory = StatusFactory(
            lambda: {"weather": weather, "time": lambda _: TIME}, self.clock
        )
        protocol: Any = self.factory.buildProtocol(None)
        self.protocol = protocol
        self.transport: Any = StringTransportWithDisconnection()
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)

    def answers_to(self, line: bytes) -> list[Any]:
        """The answers to ``line``."""
        self.transport.clear()
        self.protocol.dataReceived(line)
        return [json.loads(answer) for answer in self.transport.value().splitlines()]

    def refused(self, line: bytes) -> str:
        """The error that answers ``line``, and ends the connection, at first as well as later."""
        errors = set()
        for before in (b"", QUERY):
            self.setUp()
            *_, answer = self.answers_to(before + line)
            self.assertEqual(list(answer), ["error"])
            self.assertFalse(self.transport.connected)
            self.assertEqual(self.clock.getDelayedCalls(), [])
            errors.add(str(answer["error"]))
        (error,) = errors
        return error

    def test_each_line_is_answered_with_a_line(self) -> None:
        self.assertEqual(self.answers_to(b'{"ask": "time"}\n'), [TIME])
        self.assertTrue(self.transport.value().endswith(b"}\n"))

    def test_queries_in_any_segments_are_answered_in_order(self) -> None:
        self.assertEqual(self.answers_to(b'{"ask": "ti'), [])
        self.assertEqual(
            self.answers_to(b'me"}\n{"ask": "weather", "where": "Rome"}\r\n{'),
            [TIME, {"weather": "rain in Rome"}],
        )

    def test_the_whole_query_is_passed_on(self) -> None:
        self.assertEqual(
            self.refused(b'{"ask": "weather"}\n'), "not understood: weather needs a place"
        )

    def test_an_unknown_query_is_answered_with_the_known_ones(self) -> None:
        for query in (b'{"ask": "news"}', b'{"ask": ["time"]}', b"{}"):
            self.assertIn("which is none of time, weather", self.refused(query + b"\n"))

    def test_an_invalid_query_is_refused(self) -> None:
        deep = b'{"ask":' * 2000
        number = b'{"ask": 1%s}' % (b"0" * 4200)
        for line in (b"garbage", b"\xff\xfe", b"", b"[1]", b"12", b"null", deep, number):
            self.assertTrue(self.refused(line + b"\n").startswith("not understood: "), line[:10])
        self.assertIn("not an object but list", self.refused(b"[1]\n"))

    def test_nothing_after_an_invalid_query_is_answered(self) -> None:
        post = b"POST / HTTP/1.1\r\n"
        self.assertEqual(len(self.answers_to(post + QUERY)), 1)
        self.assertEqual(self.answers_to(QUERY), [])

    def test_a_line_that_is_too_long_is_refused(self) -> None:
        for end in (b"", b"\n", b"\n" + QUERY):
            self.assertEqual(
                self.refused(b"x" * (MAX_QUERY + 1) + end), f"a line of more than {MAX_QUERY} bytes"
            )

    def test_the_factory_logs_nothing(self) -> None:
        with capturedLogs() as lines:
            self.factory.doStart()
            self.factory.doStop()
        self.assertEqual(lines, [])

    def test_an_idle_client_is_disconnected(self) -> None:
        self.clock.advance(self.protocol.patience - 1)
        self.answers_to(b'{"ask": "time"}\n')
        self.clock.advance(self.protocol.idle_timeout - 1)
        self.assertTrue(self.transport.connected)
        self.clock.advance(1)
        self.assertFalse(self.transport.connected)

    def test_a_client_that_sends_no_whole_query_is_soon_disconnected(self) -> None:
        for before in (b"", QUERY):
            self.setUp()
            self.answers_to(before + b"{")
            self.clock.advance(self.protocol.patience - 1)
            self.answers_to(b'"ask": "ti')
            self.assertTrue(self.transport.connected)
            self.clock.advance(1)
            self.assertFalse(self.transport.connected)

    def test_a_client_that_completes_its_query_in_time_is_not(self) -> None:
        self.answers_to(QUERY + b'{"ask": ')
        self.clock.advance(self.protocol.patience - 1)
        self.assertEqual(self.answers_to(b'"time"}\n'), [TIME])
        self.clock.advance(self.protocol.patience + 1)
        self.assertTrue(self.transport.connected)

    def test_a_client_that_does_not_take_an_error_is_soon_disconnected(self) -> None:
        # A transport with unsent data is not closed yet.
        self.patch(self.transport, "loseConnection", lambda: None)
        self.answers_to(b"garbage\n")
        self.assertEqual(self.answers_to(QUERY), [])
        self.clock.advance(self.protocol.patience - 1)
        self.assertTrue(self.transport.connected)
        self.patch(self.transport, "abortConnection", self.end)
        self.clock.advance(1)
        self.assertFalse(self.transport.connected)

    def end(self) -> None:
        StringTransportWithDisconnection.loseConnection(self.transport)

    def test_the_timeout_is_cancelled_when_the_client_disconnects(self) -> None:
        self.transport.loseConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_an_error_quotes_only_the_beginning_of_the_query(self) -> None:
        problem = self.refused(json.dumps({"ask": "x" * 10_000}).encode() + b"\n")
        self.assertLess(len(problem), 200)

    def test_no_query_is_answered_while_the_client_does_not_read(self) -> None:
        # What a transport does with its producer when its buffer is full, and when it is not.
        self.transport.producer.pauseProducing()
        self.assertEqual(self.transport.producerState, "paused")
        self.assertEqual(self.answers_to(QUERY * 2), [])
        self.transport.producer.resumeProducing()
        self.assertEqual(self.transport.producerState, "producing")
        self.assertEqual(self.transport.value().count(b"\n"), 2)
        self.clock.advance(self.protocol.patience)
        self.assertTrue(self.transport.connected)

    def test_a_client_that_does_not_read_is_soon_disconnected(self) -> None:
        self.answers_to(QUERY)
        self.transport.producer.pauseProducing()
        self.clock.advance(self.protocol.patience)
        self.assertFalse(self.transport.connected)

    def test_a_query_that_was_begun_meanwhile_has_to_be_completed_soon(self) -> None:
        self.transport.producer.pauseProducing()
        self.answers_to(QUERY + b"{")
        self.transport.producer.resumeProducing()
        self.clock.advance(self.protocol.patience)
        self.assertFalse(self.transport.connected)

    def connected(self) -> Any:
        """The transport of one more connection."""
        protocol: Any = self.factory.buildProtocol(None)
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def test_when_all_places_are_taken_the_one_idle_for_the_longest_time_makes_room(self) -> None:
        others = [self.connected() for _ in range(MAX_CONNECTIONS - 1)]
        self.answers_to(QUERY)
        others[1].protocol.dataReceived(QUERY)
        self.connected()
        self.connected()
        self.assertEqual([each.connected for each in others[:4]], [False, True, False, True])
        self.assertTrue(self.transport.connected)

    def test_a_client_that_disconnects_makes_room(self) -> None:
        others = [self.connected() for _ in range(MAX_CONNECTIONS - 1)]
        self.transport.loseConnection()
        self.connected()
        self.assertTrue(all(each.connected for each in others))

    def test_each_connection_has_answers_of_its_own(self) -> None:
        made: list[Answers] = []

        def make() -> Answers:
            made.append({"time": lambda _: TIME})
            return made[-1]

        self.factory = StatusFactory(make, self.clock)
        self.connected()
        self.connected()
        self.assertEqual(len(made), 2)

    def test_closing_aborts_all_connections(self) -> None:
        self.factory.close()
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])
