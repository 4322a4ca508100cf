"""The answers of the status service."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone

from tests.proxy.memory_server import ServerInMemory
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server

STATUS = "tcp:8898:interface=127.0.0.1"


class StatisticsQueryTests(ServerInMemory):
    def test_there_is_no_status_service_by_default(self) -> None:
        self.started()
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_the_answer_has_the_present_counters(self) -> None:
        self.started(status=STATUS)
        self.accepted(1).deliver(b"12345")
        self.cpu = 1.5
        self.reactor.advance(0.05)
        answer = self.ask(ask="statistics")
        self.assertEqual(answer["listening"], ["tcp:0.0.0.0:8899"])
        counters = answer["statistics"]
        self.assertEqual(
            {name: counters[name] for name in ("at", "cpu", "opened", "open", "bytes_in")},
            {"at": 0.05, "cpu": 1.5, "opened": 1, "open": 1, "bytes_in": 5},
        )
        self.assertIsNone(counters["sink_received"])

    def test_the_lag_is_the_greatest_since_the_last_query(self) -> None:
        self.started(status=STATUS)
        self.reactor.advance(0.55)
        self.assertAlmostEqual(self.asked_lag(), 0.5)
        self.assertEqual(self.asked_lag(), 0.0)

    def test_a_line_in_the_log_does_not_reset_the_lag(self) -> None:
        self.started(status=STATUS, interval=1.0)
        self.accepted(1)
        self.reactor.advance(0.55)
        self.assertEqual(len(self.logged_in(0.45)), 1)
        self.assertAlmostEqual(self.asked_lag(), 0.5)

    def test_a_query_does_not_reset_the_lag_in_the_log(self) -> None:
        self.started(status=STATUS, interval=1.0)
        self.reactor.advance(0.55)
        self.asked_lag()
        self.accepted(1)
        (event,) = self.logged_in(0.45)
        self.assertAlmostEqual(event["statistics"]["lag"], 0.5)
        self.accepted(2)
        (event,) = self.logged_in(1)
        self.assertAlmostEqual(event["statistics"]["lag"], 0.95)

    def asked_lag(self) -> float:
        return float(self.ask(ask="statistics")["statistics"]["lag"])


class RunQueryTests(ServerInMemory):
    def started_with_status(self, handler: HandlerName = HandlerName.SINK) -> Server:
        return self.started(handler=handler, status=STATUS)

    def test_the_answer_has_the_totals_of_the_given_addresses(self) -> None:
        self.started_with_status()
        self.accepted(1).deliver(b"12345")
        self.accepted(2).deliver(b"123")
        self.assertEqual(
            self.ask(ask="run", name="x", sent=9, peers=["192.0.2.1:1", "192.0.2.1:3"]),
            {"run": {"received": 5, "arrived": 5, "open": 1, "failed": 0, "unknown": 1}},
        )

    def test_arrived_is_what_the_embedded_sink_has_received(self) -> None:
        self.started_with_status(HandlerName.PROXY)
        client = self.accepted(1)
        to_sink = self.backend_connected()
        ours = to_sink.getHost()
        at_sink = self.accepted(ours.port, ours.host, port=0)
        client.deliver(b"12345")
        self.assertEqual(to_sink.take(), b"12345")
        at_sink.deliver(b"123")
        self.assertEqual(
            self.ask(ask="run", name="x", sent=5, peers=["192.0.2.1:1"]),
            {"run": {"received": 5, "arrived": 3, "open": 1, "failed": 0, "unknown": 0}},
        )
        statistics = self.ask(ask="statistics")["statistics"]
        self.assertEqual((statistics["bytes_in"], statistics["sink_received"]), (5, 3))

    def test_a_run_is_logged_once_all_its_connections_have_ended(self) -> None:
        self.started_with_status()
        wire = self.accepted(1)
        wire.deliver(b"12345")
        self.assertEqual(self.logged_when_asked("x"), [])
        wire.lose(ConnectionDone())
        line = "run {}: sent 6, received 5, lost 1 bytes"
        self.assertEqual(self.logged_when_asked("x"), [line.format("x")])
        self.assertEqual(self.logged_when_asked("x"), [])
        self.assertEqual(self.logged_when_asked("y"), [line.format("y")])

    def logged_when_asked(self, name: str) -> list[str]:
        with self.lines() as lines:
            self.ask(ask="run", name=name, sent=6, peers=["192.0.2.1:1"])
        return lines

    def test_the_number_of_remembered_connections_is_limited(self) -> None:
        self.started(status=STATUS, remember=2)
        for peer in (1, 2, 3):
            self.accepted(peer)
        peers = [f"192.0.2.1:{peer}" for peer in (1, 2, 3)]
        totals = self.ask(ask="run", name="x", sent=0, peers=peers)["run"]
        self.assertEqual((totals["open"], totals["unknown"]), (2, 1))

    def test_the_number_of_remembered_runs_is_limited(self) -> None:
        self.started_with_status()
        self.accepted(1).lose(ConnectionDone())
        names = [str(number) for number in range(65)]
        for name in names:
            self.assertEqual(len(self.logged_when_asked(name)), 1)
        self.assertEqual(len(self.logged_when_asked(names[1])), 0)
        self.assertEqual(len(self.logged_when_asked(names[0])), 1)

    def test_an_invalid_query_is_refused(self) -> None:
        self.started_with_status()
        self.assertIn("a run has a name", self.ask(ask="run", name=1)["error"])
