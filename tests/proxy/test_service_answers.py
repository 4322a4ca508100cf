"""What a server answers to those who ask its status service."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone

from tests.proxy.memory_server import ServerInMemory
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server

STATUS = "tcp:8898:interface=127.0.0.1"


class TheStatistics(ServerInMemory):
    def test_are_not_told_unless_it_is_asked_for(self) -> None:
        self.started()
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_are_those_of_the_moment(self) -> None:
        self.started(status=STATUS)
        self.accepted(1).deliver(b"12345")
        self.cpu = 1.5
        self.reactor.advance(0.05)
        answer = self.ask(ask="statistics")
        self.assertEqual(answer["listening"], ["tcp:0.0.0.0:8899"])
        figures = answer["statistics"]
        self.assertEqual(
            {name: figures[name] for name in ("at", "cpu", "opened", "open", "bytes_in")},
            {"at": 0.05, "cpu": 1.5, "opened": 1, "open": 1, "bytes_in": 5},
        )
        self.assertIsNone(figures["sink_received"])

    def test_have_the_greatest_lag_since_they_were_last_asked_for(self) -> None:
        self.started(status=STATUS)
        self.reactor.advance(0.55)
        self.assertAlmostEqual(self.asked_lag(), 0.5)
        self.assertEqual(self.asked_lag(), 0.0)

    def test_have_the_greatest_lag_also_when_a_line_was_logged_meanwhile(self) -> None:
        self.started(status=STATUS, interval=1.0)
        self.reactor.advance(0.55)
        self.assertEqual(len(self.told(0.45)), 1)
        self.assertAlmostEqual(self.asked_lag(), 0.5)

    def test_leave_the_next_line_its_own_greatest_lag(self) -> None:
        self.started(status=STATUS, interval=1.0)
        self.reactor.advance(0.55)
        self.asked_lag()
        (told,) = self.told(0.45)
        self.assertAlmostEqual(told["statistics"]["lag"], 0.5)
        (told,) = self.told(1)
        self.assertAlmostEqual(told["statistics"]["lag"], 0.95)

    def asked_lag(self) -> float:
        return float(self.ask(ask="statistics")["statistics"]["lag"])


class ARun(ServerInMemory):
    def started_with_status(self, handler: HandlerName = HandlerName.SINK) -> Server:
        return self.started(handler=handler, status=STATUS)

    def test_is_what_became_of_connections_from_some_addresses(self) -> None:
        self.started_with_status()
        self.accepted(1).deliver(b"12345")
        self.accepted(2).deliver(b"123")
        self.assertEqual(
            self.ask(ask="run", name="x", sent=9, peers=["192.0.2.1:1", "192.0.2.1:3"]),
            {"run": {"received": 5, "arrived": 5, "open": 1, "failed": 0, "unknown": 1}},
        )

    def test_has_arrived_as_far_as_a_sink_of_the_servers_own_has_got_it(self) -> None:
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

    def test_is_a_line_in_the_log_once_all_of_it_has_ended(self) -> None:
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

    def test_is_told_of_as_many_connections_as_the_server_was_told_to_remember(self) -> None:
        self.started(status=STATUS, remember=2)
        for peer in (1, 2, 3):
            self.accepted(peer)
        peers = [f"192.0.2.1:{peer}" for peer in (1, 2, 3)]
        account = self.ask(ask="run", name="x", sent=0, peers=peers)["run"]
        self.assertEqual((account["open"], account["unknown"]), (2, 1))

    def test_is_forgotten_as_logged_after_many_others(self) -> None:
        self.started_with_status()
        self.accepted(1).lose(ConnectionDone())
        names = [str(number) for number in range(65)]
        for name in names:
            self.assertEqual(len(self.logged_when_asked(name)), 1)
        self.assertEqual(len(self.logged_when_asked(names[1])), 0)
        self.assertEqual(len(self.logged_when_asked(names[0])), 1)

    def test_that_cannot_be_read_is_refused(self) -> None:
        self.started_with_status()
        whole: dict[str, object] = {"name": "x", "sent": 1, "peers": []}
        self.assertIn("run", self.ask(ask="run", **whole))
        for part, wrong in (("name", 1), ("sent", "1"), ("peers", "a"), ("peers", None)):
            answer = self.ask(ask="run", **{**whole, part: wrong})
            self.assertIn("a run has a name", answer["error"])
