from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.status_service import (
    MAX_CONNECTIONS,
    MAX_FIRST_QUERY,
    MAX_QUERY,
    Answer,
    Query,
    StatusFactory,
)


def weather(query: Query) -> Answer:
    if "where" not in query:
        raise ValueError("weather needs a place")
    return {"weather": f"rain in {query['where']}"}


TIME = {"time": 12}


class StatusServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.factory = StatusFactory({"weather": weather, "time": lambda _: TIME}, self.clock)
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
        """The error that answers ``line``, when a query has been answered before."""
        self.trust()
        (answer,) = self.answers_to(line)
        self.assertEqual(list(answer), ["error"])
        self.assertTrue(self.transport.connected)
        return str(answer["error"])

    def trust(self) -> None:
        self.assertEqual(self.answers_to(b'{"ask": "time"}\n'), [TIME])

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

    def test_an_invalid_query_is_refused_and_the_next_is_answered(self) -> None:
        deep = b"[" * 200_000
        for line in (b"garbage", b"\xff\xfe", b"", b"[1]", b"12", b"null", deep):
            self.assertTrue(self.refused(line + b"\n").startswith("not understood: "), line[:10])
        self.assertIn("not an object but list", self.refused(b"[1]\n"))
        self.assertEqual(self.answers_to(b'{"ask": "time"}\n'), [TIME])

    def test_whatever_is_no_query_at_first_ends_the_connection(self) -> None:
        post = b'POST / HTTP/1.1\r\n\r\n{"ask": "time"}\n'
        for line in (post, b"garbage\n", b"[1]\n", b"{}\n", b'{"ask": "weather"}\n'):
            (answer,) = self.answers_to(line)
            self.assertEqual(list(answer), ["error"])
            self.assertFalse(self.transport.connected)
            self.setUp()

    def test_a_line_that_is_too_long_is_refused(self) -> None:
        for trusted, most in ((False, MAX_FIRST_QUERY), (True, MAX_QUERY)):
            for end in (b"", b"\n"):
                if trusted:
                    self.trust()
                self.assertEqual(
                    self.answers_to(b"x" * (most + 1) + end),
                    [{"error": f"a line of more than {most} bytes"}],
                )
                self.assertFalse(self.transport.connected)
                self.setUp()

    def test_the_line_limit_allows_all_ports_of_a_host(self) -> None:
        self.trust()
        peers = ["255.255.255.255:65535"] * (1 << 16)
        self.assertEqual(
            self.answers_to(json.dumps({"ask": "time", "x": peers}).encode() + b"\n"), [TIME]
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
        self.clock.advance(self.protocol.patience - 1)
        self.answers_to(b'{"ask": "ti')
        self.assertTrue(self.transport.connected)
        self.clock.advance(1)
        self.assertFalse(self.transport.connected)

    def test_the_timeout_is_cancelled_when_the_client_disconnects(self) -> None:
        self.transport.loseConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_an_error_quotes_only_the_beginning_of_the_query(self) -> None:
        problem = self.refused(json.dumps({"ask": "x" * 100_000}).encode() + b"\n")
        self.assertLess(len(problem), 200)

    def test_nothing_is_read_from_a_client_that_does_not_read(self) -> None:
        # What a transport does with its producer when its buffer is full, and when it is not.
        self.transport.producer.pauseProducing()
        self.assertEqual(self.transport.producerState, "paused")
        self.transport.producer.resumeProducing()
        self.assertEqual(self.transport.producerState, "producing")
        self.transport.producer.stopProducing()

    def connected(self) -> Any:
        """The transport of one more connection, or ``None`` if it is not accepted."""
        protocol: Any = self.factory.buildProtocol(None)
        if protocol is None:
            return None
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def test_the_oldest_that_has_asked_nothing_makes_room(self) -> None:
        self.trust()
        others = [self.connected() for _ in range(MAX_CONNECTIONS - 1)]
        self.assertIsNotNone(self.connected())
        self.assertEqual([each.connected for each in others[:2]], [False, True])
        self.assertTrue(self.transport.connected)

    def test_the_number_of_connections_is_limited(self) -> None:
        self.trust()
        for _ in range(MAX_CONNECTIONS - 1):
            self.connected().protocol.dataReceived(b'{"ask": "time"}\n')
        self.assertIsNone(self.connected())
        self.transport.loseConnection()
        self.assertIsNotNone(self.connected())

    def test_closing_aborts_all_connections(self) -> None:
        self.factory.close()
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])
