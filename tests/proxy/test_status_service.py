from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.status_service import MAX_CONNECTIONS, Answer, Query, StatusFactory


def weather(query: Query) -> Answer:
    if "where" not in query:
        raise ValueError("weather is asked for a place")
    return {"weather": f"rain in {query['where']}"}


TIME = {"time": 12}


class TheStatusService(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.factory = StatusFactory({"weather": weather, "time": lambda _: TIME}, self.clock)
        protocol: Any = self.factory.buildProtocol(None)
        self.protocol = protocol
        self.transport: Any = StringTransportWithDisconnection()
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)

    def say(self, line: bytes) -> list[Any]:
        """The answers to what is said now."""
        self.transport.clear()
        self.protocol.dataReceived(line)
        return [json.loads(answer) for answer in self.transport.value().splitlines()]

    def refused(self, line: bytes) -> str:
        (answer,) = self.say(line)
        self.assertEqual(list(answer), ["error"])
        self.assertTrue(self.transport.connected)
        return str(answer["error"])

    def test_answers_a_line_with_a_line(self) -> None:
        self.assertEqual(self.say(b'{"ask": "time"}\n'), [TIME])
        self.assertTrue(self.transport.value().endswith(b"}\n"))

    def test_answers_in_order_however_the_lines_are_cut(self) -> None:
        self.assertEqual(self.say(b'{"ask": "ti'), [])
        self.assertEqual(
            self.say(b'me"}\n{"ask": "weather", "where": "Rome"}\r\n{'),
            [TIME, {"weather": "rain in Rome"}],
        )

    def test_hands_the_whole_query_on(self) -> None:
        self.assertEqual(
            self.refused(b'{"ask": "weather"}\n'), "not understood: weather is asked for a place"
        )

    def test_says_what_can_be_asked(self) -> None:
        for query in (b'{"ask": "news"}', b'{"ask": ["time"]}', b"{}"):
            self.assertIn("which is none of time, weather", self.refused(query + b"\n"))

    def test_says_what_it_does_not_understand_and_goes_on(self) -> None:
        deep = b"[" * 200_000
        for line in (b"garbage", b"\xff\xfe", b"", b"[1]", b"12", b"null", deep):
            self.assertTrue(self.refused(line + b"\n").startswith("not understood: "), line[:10])
        self.assertIn("not an object but list", self.refused(b"[1]\n"))
        self.assertEqual(self.say(b'{"ask": "time"}\n'), [TIME])

    def test_refuses_a_line_that_only_fills_the_memory(self) -> None:
        self.protocol.MAX_LENGTH = 10
        for line in (b"x" * 11, b"x" * 11 + b"\n"):
            self.assertEqual(self.say(line), [{"error": "a line of more than 10 bytes"}])
            self.assertFalse(self.transport.connected)
            self.setUp()
            self.protocol.MAX_LENGTH = 10

    def test_has_room_for_a_query_about_more_connections_than_one_host_can_have(self) -> None:
        peers = ["255.255.255.255:65535"] * (1 << 16)
        self.assertEqual(self.say(json.dumps({"ask": "time", "x": peers}).encode() + b"\n"), [TIME])

    def test_says_nothing_of_its_own_in_the_log(self) -> None:
        with capturedLogs() as lines:
            self.factory.doStart()
            self.factory.doStop()
        self.assertEqual(lines, [])

    def test_lets_go_of_who_does_not_ask(self) -> None:
        self.clock.advance(self.protocol.idle_timeout - 1)
        self.say(b'{"ask": "time"}\n')
        self.clock.advance(self.protocol.idle_timeout - 1)
        self.assertTrue(self.transport.connected)
        self.clock.advance(1)
        self.assertFalse(self.transport.connected)

    def test_waits_no_more_for_who_has_gone(self) -> None:
        self.transport.loseConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_says_again_only_the_beginning_of_what_was_asked(self) -> None:
        problem = self.refused(json.dumps({"ask": "x" * 100_000}).encode() + b"\n")
        self.assertLess(len(problem), 200)

    def test_reads_nothing_from_who_takes_no_answers(self) -> None:
        # What a transport does with its producer when its buffer is full, and when it is not.
        self.transport.producer.pauseProducing()
        self.assertEqual(self.transport.producerState, "paused")
        self.transport.producer.resumeProducing()
        self.assertEqual(self.transport.producerState, "producing")
        self.transport.producer.stopProducing()

    def test_answers_no_more_than_some_at_once(self) -> None:
        others = [self.factory.buildProtocol(None) for _ in range(MAX_CONNECTIONS)]
        self.assertEqual(others.count(None), 1)
        self.transport.loseConnection()
        self.assertIsNotNone(self.factory.buildProtocol(None))

    def test_closes_all_at_once_when_it_is_closed(self) -> None:
        self.factory.close()
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])
