from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectionDone, ConnectionLost
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fake_socket import Wire
from tests.proxy.memory_server import ServerInMemory
from tlsdemo.proxy import service
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import CannotStart, with_backlog
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import Delivery, ModeName
from tlsdemo.tls.timeouts import Timeouts

BACKEND = "tcp:192.0.2.9:25"


class Backlogs(SynchronousTestCase):
    def test_are_added_to_endpoints_that_can_have_one(self) -> None:
        for where in ("tcp:8899", "tcp6:0", "ssl:443:interface=127.0.0.1", "unix:/run/x"):
            self.assertEqual(with_backlog(where), f"{where}:backlog=512")

    def test_are_left_as_they_were_asked_for(self) -> None:
        for where in ("tcp:8899:backlog=7", "unix:/run/x:backlog=7", "systemd:index=0", "fd:3"):
            self.assertEqual(with_backlog(where), where)


class Starting(ServerInMemory):
    def test_listens_wherever_it_is_told_with_room_for_a_burst(self) -> None:
        self.started(listen=["tcp:8899:interface=127.0.0.1", "tcp:25:backlog=7"])
        self.assertEqual(
            [(port, backlog, where) for port, _, backlog, where in self.reactor.tcpServers],
            [(8899, 512, "127.0.0.1"), (25, 7, "")],
        )

    def test_has_a_sink_of_its_own_where_a_proxy_has_no_backend(self) -> None:
        self.started(handler=HandlerName.PROXY)
        self.assertEqual(
            [(port, where) for port, _, _, where in self.reactor.tcpServers],
            [(0, "127.0.0.1"), (8899, "127.0.0.1")],
        )

    def test_connects_a_proxy_to_the_backend_that_it_is_told(self) -> None:
        self.started(handler=HandlerName.PROXY, backend=BACKEND)
        self.assertEqual(len(self.reactor.tcpServers), 1)
        self.accepted(1)
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.9", 25))

    def test_does_not_wait_for_a_backend_longer_than_it_was_told_to(self) -> None:
        self.started(handler=HandlerName.PROXY, backend=BACKEND, backend_timeout=4.0)
        wire = self.accepted(1)
        self.reactor.advance(3.9)
        self.assertFalse(wire.aborted)
        self.reactor.advance(0.2)
        with self.lines() as lines:
            wire.turn()
        self.assertEqual(lines, ["#1 192.0.2.1:1 failed: backend refused: no answer after 4 s"])

    def test_does_not_wait_any_longer_for_its_greeting(self) -> None:
        smtp = DIALECTS["smtp"]
        self.started(handler=HandlerName.PROXY, backend=BACKEND, dialect=smtp, backend_timeout=4.0)
        wire = self.accepted(1)
        wire.deliver(b"EHLO a\r\n")
        wire.deliver(b"STARTTLS\r\n")
        self.backend_connected()
        self.reactor.advance(4.0)
        with self.lines() as lines:
            wire.turn()
        problem = "backend refused: no greeting after 4 s"
        self.assertEqual(lines, [f"#1 192.0.2.1:1 failed: {problem}"])

    def test_has_a_backend_take_what_it_is_owed_in_the_time_for_closing(self) -> None:
        server = self.started(
            handler=HandlerName.PROXY, backend=BACKEND, timeouts=Timeouts(closing=3.0)
        )
        wire, far = self.accepted(1), self.backend_connected()
        wire.deliver(b"last")
        wire.lose(ConnectionDone())
        with self.lines() as lines:
            self.reactor.advance(3.0)
        self.assertTrue(far.aborted)
        problem = "closing timeout: the backend has not read everything after 3 s"
        self.assertEqual(lines, [f"#1 192.0.2.1:1 failed: {problem}"])
        self.assertEqual(server.snapshot().failed, {"closing timeout": 1})

    def test_bounds_what_both_sockets_keep(self) -> None:
        self.started(handler=HandlerName.PROXY, backend=BACKEND, max_buffer=9000)
        near, far = self.accepted(1, make=Wire), self.backend_connected(Wire)
        self.assertEqual((near.bufferSize, far.bufferSize), (4500, 4500))

    def test_speaks_the_dialect_that_was_asked_for(self) -> None:
        self.started(dialect=DIALECTS["line"], max_line=20)
        wire = self.accepted(1)
        self.assertEqual(wire.take(), b"")
        wire.deliver(b"hello\r\n")
        self.assertEqual(wire.take(), b"ERROR say STARTTLS\r\n")
        wire.deliver(b"x" * 21)
        self.assertTrue(wire.disconnecting)

    def test_goes_on_in_the_dialect_with_a_backend_that_was_asked_for(self) -> None:
        smtp = DIALECTS["smtp"]
        for backend, paused in ((BACKEND, True), (None, False)):
            self.setUp()
            self.started(handler=HandlerName.PROXY, backend=backend, dialect=smtp)
            wire = self.accepted(1)
            wire.deliver(b"EHLO a\r\n")
            wire.deliver(b"STARTTLS\r\n")
            self.backend_connected()
            # An SMTP backend greets, and our own sink does not.
            self.assertEqual(wire.paused, paused)

    def test_says_what_it_does(self) -> None:
        cases: list[tuple[dict[str, Any], str]] = [
            (
                {"handler": HandlerName.ECHO},
                "mode clear, dialect immediate, delivery record, role echo",
            ),
            (
                {"handler": HandlerName.PROXY, "delivery": Delivery.READABLE},
                "mode clear, dialect immediate, delivery readable, role proxy to an embedded sink",
            ),
            (
                {"handler": HandlerName.PROXY, "backend": BACKEND, "mode": ModeName.PAIR},
                f"mode pair, dialect immediate, delivery coalesced, role proxy to {BACKEND}",
            ),
        ]
        for changes, expected in cases:
            self.setUp()
            with self.lines() as lines:
                self.started(**changes)
            self.assertEqual(lines, [f"listening on tcp:0.0.0.0:8899; {expected}"])

    def test_warns_of_a_guard_that_is_off(self) -> None:
        with capturedLogs() as events:
            self.started(guard=False)
        self.assertEqual(events[-1]["log_level"], LogLevel.critical)
        self.assertTrue(str(formatEvent(events[-1])).startswith("UNSAFE: "))

    def test_tells_where_clients_can_connect(self) -> None:
        server = self.started(
            listen=["tcp:8899", "tcp:25"], handler=HandlerName.PROXY, status="tcp:8898"
        )
        self.assertEqual(server.listening(), ["tcp:0.0.0.0:8899", "tcp:0.0.0.0:25"])

    def test_that_is_not_possible_says_where_and_why(self) -> None:
        def refuse(port: int, *_arguments: object, **_named: object) -> None:
            raise CannotListenError("127.0.0.1", port, OSError(98, "Address already in use"))

        self.patch(self.reactor, "listenTCP", refuse)
        error = self.assertRaises(CannotStart, self.server().privilegedStartService)
        self.assertEqual(
            str(error), "cannot listen on tcp:8899:interface=127.0.0.1: Address already in use"
        )

    def test_that_fails_for_another_reason_says_which(self) -> None:
        def refuse(*_arguments: object, **_named: object) -> None:
            raise ValueError("no such family")

        self.patch(self.reactor, "listenTCP", refuse)
        error = self.assertRaises(CannotStart, self.server().privilegedStartService)
        self.assertTrue(str(error).endswith(": no such family"), error)

    def test_does_not_wait_for_an_endpoint_that_may_never_listen(self) -> None:
        class Slow:
            def listen(self, factory: object) -> Deferred[None]:
                return Deferred()

        self.patch(service, "serverFromString", lambda reactor, where: Slow())
        error = self.assertRaises(CannotStart, self.server(listen=["x"]).privilegedStartService)
        self.assertEqual(str(error), "cannot listen on x: the endpoint does not answer at once")


class Telling(ServerInMemory):
    def test_is_done_at_intervals_with_what_came_since_the_last(self) -> None:
        self.started()
        self.accepted(1).deliver(b"x" * 50_000)
        for rate, events in (
            ("0.01", "1 events, 50,000.0 bytes and 0.0 records an event"),
            ("0.00", "0 events, 0.0 bytes and 0.0 records an event"),
        ):
            (told,) = self.told()
            self.assertEqual(
                str(formatEvent(told)).rpartition("; ")[0],
                f"open 1, secured 0, failed 0; cleartext 0.05 MB at {rate} MB/s; {events}",
            )
            self.assertEqual(told["statistics"]["bytes_in"], 50_000)

    def test_knows_no_time_before_the_server_was_started(self) -> None:
        self.reactor.advance(1000)
        self.started()
        self.accepted(1).deliver(b"x" * 50_000)
        (told,) = self.told()
        self.assertIn("at 0.01 MB/s", str(formatEvent(told)))

    def test_is_not_done_of_the_events_and_failures_of_its_own_sink(self) -> None:
        self.started(handler=HandlerName.PROXY, log_first=9)
        with capturedLogs() as events:
            self.accepted(1, port=0).lose(ConnectionLost())
        self.assertEqual(events, [])

    def test_has_the_interval_that_was_asked_for(self) -> None:
        self.started(interval=7.0)
        self.assertEqual([len(self.told(1)) for _ in range(14)], [0] * 6 + [1] + [0] * 6 + [1])

    def test_says_how_many_failures_were_not_logged_one_by_one(self) -> None:
        self.started(mode=ModeName.PAIR)
        for peer in range(25):
            self.accepted(peer).lose(ConnectionDone())
        _, told = self.told()
        self.assertEqual(formatEvent(told), "5 more failures were not logged one by one")
        self.assertEqual(told["log_level"], LogLevel.warn)
        self.assertEqual(len(self.told()), 1)

    def test_has_a_line_for_the_events_of_the_connections_that_were_asked_for(self) -> None:
        self.started(log_first=1, log_every=3)
        with capturedLogs() as events:
            for peer in range(1, 5):
                self.accepted(peer)
        self.assertEqual({event["connection"] for event in events}, {1, 3})


class Stopping(ServerInMemory):
    def test_listens_no_more_and_leaves_nothing_to_the_reactor(self) -> None:
        server = self.started(handler=HandlerName.PROXY, status="tcp:8898")
        self.assertTrue(server.running)
        self.successResultOf(server.stopService())
        self.assertFalse(server.running)
        self.assertEqual(sorted(self.reactor.stopped), [0, 8898, 8899])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cuts_off_what_is_open_and_tells_when_all_is_gone(self) -> None:
        server = self.started()
        wires = [self.accepted(peer) for peer in (1, 2)]
        stopping = server.stopService()
        for wire in wires:
            self.assertTrue(wire.aborted)
            self.assertNoResult(stopping)
            wire.turn()
        self.assertIsNone(self.successResultOf(stopping))

    def test_gives_time_to_end_in_order_where_it_was_told_to(self) -> None:
        server = self.started(drain=10.0)
        wire = self.accepted(1)
        with self.lines() as lines:
            stopping = server.stopService()
        self.assertEqual(lines, ["1 connections are open; they have 10 s to end in order"])
        self.assertTrue(wire.disconnecting)
        self.assertFalse(wire.aborted)
        self.reactor.advance(10)
        self.assertTrue(wire.aborted)
        wire.turn()
        self.successResultOf(stopping)

    def test_leaves_its_own_sink_to_those_that_still_drain_to_it(self) -> None:
        server = self.started(handler=HandlerName.PROXY, drain=10.0)
        client, at_sink = self.accepted(1), self.accepted(1, port=0)
        to_sink = self.backend_connected()
        stopping = server.stopService()
        client.turn()
        self.assertFalse(at_sink.aborted)
        to_sink.turn()
        self.assertTrue(at_sink.aborted)
        self.assertNoResult(stopping)
        at_sink.turn()
        self.successResultOf(stopping)

    def test_cuts_off_its_own_sink_as_well(self) -> None:
        server = self.started(handler=HandlerName.PROXY)
        at_sink = self.accepted(1, port=0)
        stopping = server.stopService()
        self.assertTrue(at_sink.aborted)
        self.assertNoResult(stopping)
        at_sink.turn()
        self.successResultOf(stopping)

    def test_cuts_off_a_backend_that_does_not_take_what_it_is_still_owed(self) -> None:
        server = self.started(handler=HandlerName.PROXY, backend=BACKEND)
        client, backend = self.accepted(1), self.backend_connected()
        client.deliver(b"12345")
        client.lose(ConnectionDone())
        stopping = server.stopService()
        self.assertNoResult(stopping)
        self.assertTrue(backend.aborted)
        backend.turn()
        self.assertIsNone(self.successResultOf(stopping))
        self.assertEqual(server.snapshot().failed, {"aborted by us": 1})

    def test_sums_up(self) -> None:
        server = self.started()
        for peer in (1, 2, 3):
            wire = self.accepted(peer)
            wire.deliver(b"12345")
            if peer < 3:
                wire.lose(ConnectionDone())
        self.cpu = 2.5
        self.reactor.advance(0.55)
        with self.lines() as lines:
            stopping = server.stopService()
            self.assertEqual(lines, [])
            wire.turn()
            self.successResultOf(stopping)
        self.assertEqual(
            lines,
            [
                "summary: 3 connections, 0 secured, 2 ended in order, "
                "failed 1 (aborted by us 1), 1 open when it was stopped",
                "summary: cleartext 15 bytes in, 0 bytes out",
                "summary: 3 events, 5.0 bytes and 0.0 records an event; "
                "greatest lag 500 ms, CPU 2.50 s",
            ],
        )

    def test_sums_up_the_greatest_lag_of_all_its_time(self) -> None:
        server = self.started(interval=1.0)
        self.reactor.advance(0.55)
        self.reactor.advance(0.45)
        with self.lines() as lines:
            self.successResultOf(server.stopService())
        self.assertIn("greatest lag 500 ms", lines[-1])

    def test_says_what_has_not_been_logged_since_the_last_line(self) -> None:
        server = self.started(mode=ModeName.PAIR)
        for peer in range(21):
            self.accepted(peer).lose(ConnectionDone())
        with self.lines() as lines:
            self.successResultOf(server.stopService())
        self.assertEqual(lines[0], "1 more failures were not logged one by one")

    def test_is_possible_also_where_starting_was_not(self) -> None:
        self.successResultOf(self.server().stopService())
