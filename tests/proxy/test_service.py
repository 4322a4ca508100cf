from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectionDone, ConnectionLost
from twisted.logger import LogLevel, capturedLogs, formatEvent

from tests.proxy.fake_socket import Wire
from tests.proxy.memory_server import ServerInMemory
from tlsdemo.proxy import listening
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import CannotStart
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import Delivery, ModeName
from tlsdemo.tls.timeouts import Timeouts

BACKEND = "tcp:192.0.2.9:25"


class StartTests(ServerInMemory):
    def test_it_listens_on_every_endpoint_with_the_backlog(self) -> None:
        self.started(listen=["tcp:8899:interface=127.0.0.1", "tcp:25:backlog=7"])
        self.assertEqual(
            [(port, backlog, where) for port, _, backlog, where in self.reactor.tcpServers],
            [(8899, 512, "127.0.0.1"), (25, 7, "")],
        )

    def test_a_proxy_without_a_backend_has_an_embedded_sink(self) -> None:
        self.started(handler=HandlerName.PROXY)
        self.assertEqual(
            [(port, where) for port, _, _, where in self.reactor.tcpServers],
            [(0, "127.0.0.1"), (8899, "127.0.0.1")],
        )

    def test_a_proxy_connects_to_its_backend(self) -> None:
        self.started(handler=HandlerName.PROXY, backend=BACKEND)
        self.assertEqual(len(self.reactor.tcpServers), 1)
        self.accepted(1)
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.9", 25))

    def test_the_backend_timeout_applies_to_connecting(self) -> None:
        self.started(handler=HandlerName.PROXY, backend=BACKEND, backend_timeout=4.0)
        wire = self.accepted(1)
        self.reactor.advance(3.9)
        self.assertFalse(wire.aborted)
        self.reactor.advance(0.2)
        with self.lines() as lines:
            wire.turn()
        self.assertEqual(lines, ["#1 192.0.2.1:1 failed: backend timeout: no answer after 4 s"])

    def test_the_backend_timeout_applies_to_the_greeting(self) -> None:
        smtp = DIALECTS["smtp"]
        self.started(handler=HandlerName.PROXY, backend=BACKEND, dialect=smtp, backend_timeout=4.0)
        wire = self.accepted(1)
        wire.deliver(b"EHLO a\r\n")
        wire.deliver(b"STARTTLS\r\n")
        self.backend_connected()
        wire.take()
        self.reactor.advance(4.0)
        self.assertTrue(wire.take().startswith(b"421 4.3.2 "))
        with self.lines() as lines:
            wire.turn()
        problem = "backend refused: no greeting after 4 s"
        self.assertEqual(lines, [f"#1 192.0.2.1:1 failed: {problem}"])

    def test_the_closing_timeout_applies_to_the_backend(self) -> None:
        server = self.started(
            handler=HandlerName.PROXY, backend=BACKEND, timeouts=Timeouts(closing=3.0)
        )
        wire, to_backend = self.accepted(1), self.backend_connected()
        wire.deliver(b"last")
        wire.lose(ConnectionDone())
        with self.lines() as lines:
            self.reactor.advance(3.0)
        self.assertTrue(to_backend.aborted)
        problem = "closing timeout: the backend has not read everything after 3 s"
        self.assertEqual(lines, [f"#1 192.0.2.1:1 failed: {problem}"])
        self.assertEqual(server.snapshot().failed, {"closing timeout": 1})

    def test_the_buffers_of_both_sockets_are_limited(self) -> None:
        self.started(handler=HandlerName.PROXY, backend=BACKEND, max_buffer=9000)
        client, to_backend = self.accepted(1, make=Wire), self.backend_connected(Wire)
        self.assertEqual((client.bufferSize, to_backend.bufferSize), (4500, 4500))

    def test_it_negotiates_in_the_given_dialect(self) -> None:
        self.started(dialect=DIALECTS["line"], max_line=20)
        wire = self.accepted(1)
        self.assertEqual(wire.take(), b"")
        wire.deliver(b"hello\r\n")
        self.assertEqual(wire.take(), b"ERROR say STARTTLS\r\n")
        wire.deliver(b"x" * 21)
        self.assertTrue(wire.disconnecting)

    def test_the_filter_of_the_dialect_is_used_with_a_backend(self) -> None:
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

    def test_it_logs_what_it_serves(self) -> None:
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

    def test_it_warns_if_the_guard_is_off(self) -> None:
        with capturedLogs() as events:
            self.started(guard=False)
        self.assertEqual(events[-1]["log_level"], LogLevel.critical)
        self.assertTrue(str(formatEvent(events[-1])).startswith("UNSAFE: "))

    def test_it_knows_where_clients_can_connect(self) -> None:
        server = self.started(
            listen=["tcp:8899", "tcp:25"], handler=HandlerName.PROXY, status="tcp:8898"
        )
        self.assertEqual(server.listening(), ["tcp:0.0.0.0:8899", "tcp:0.0.0.0:25"])

    def test_a_failure_to_listen_names_the_endpoint_and_the_reason(self) -> None:
        def refuse(port: int, *_arguments: object, **_named: object) -> None:
            raise CannotListenError("127.0.0.1", port, OSError(98, "Address already in use"))

        self.patch(self.reactor, "listenTCP", refuse)
        error = self.assertRaises(CannotStart, self.server().privilegedStartService)
        self.assertEqual(
            str(error), "cannot listen on tcp:8899:interface=127.0.0.1: Address already in use"
        )

    def test_other_failures_to_listen_have_a_reason_too(self) -> None:
        def refuse(*_arguments: object, **_named: object) -> None:
            raise ValueError("no such family")

        self.patch(self.reactor, "listenTCP", refuse)
        error = self.assertRaises(CannotStart, self.server().privilegedStartService)
        self.assertTrue(str(error).endswith(": no such family"), error)

    def test_an_endpoint_that_does_not_listen_at_once_is_a_failure(self) -> None:
        class Slow:
            def listen(self, factory: object) -> Deferred[None]:
                return Deferred()

        self.patch(listening, "serverFromString", lambda reactor, where: Slow())
        error = self.assertRaises(CannotStart, self.server(listen=["x"]).privilegedStartService)
        self.assertEqual(str(error), "cannot listen on x: the endpoint does not answer at once")


class StatisticsLogTests(ServerInMemory):
    def test_statistics_are_logged_at_intervals_with_rates(self) -> None:
        self.started()
        wire = self.accepted(1)
        for total in ("0.05", "0.10"):
            wire.deliver(b"x" * 50_000)
            (event,) = self.logged_in()
            self.assertEqual(
                str(formatEvent(event)).rpartition("; ")[0],
                f"open 1, secured 0, failed 0; cleartext {total} MB at 0.01 MB/s; "
                "1 events, 50,000.0 bytes and 0.0 records an event",
            )
            self.assertEqual(event["statistics"]["bytes_in"], float(total) * 1e6)

    def test_no_statistics_are_logged_while_nothing_changes(self) -> None:
        self.started()
        self.assertEqual(self.logged_in(), [])
        wire = self.accepted(1)
        self.assertEqual(len(self.logged_in()), 1)
        self.assertEqual(self.logged_in(), [])
        wire.lose(ConnectionDone())
        self.assertEqual(len(self.logged_in()), 1)
        self.assertEqual(self.logged_in(), [])

    def test_the_first_interval_begins_at_the_start(self) -> None:
        self.reactor.advance(1000)
        self.started()
        self.accepted(1).deliver(b"x" * 50_000)
        (event,) = self.logged_in()
        self.assertIn("at 0.01 MB/s", str(formatEvent(event)))

    def test_connections_to_the_embedded_sink_are_not_logged(self) -> None:
        self.started(handler=HandlerName.PROXY, log_first=9)
        with capturedLogs() as events:
            self.accepted(1, port=0).lose(ConnectionLost())
        self.assertEqual(events, [])

    def test_the_interval_is_configurable(self) -> None:
        self.started(interval=7.0)
        lines = []
        for second in range(14):
            self.accepted(second)
            lines.append(len(self.logged_in(1)))
        self.assertEqual(lines, [0] * 6 + [1] + [0] * 6 + [1])

    def test_the_number_of_suppressed_failures_is_logged(self) -> None:
        self.started(mode=ModeName.PAIR)
        for peer in range(25):
            self.fail_handshake(peer)
        _, event = self.logged_in()
        self.assertEqual(formatEvent(event), "5 more failures were not logged one by one")
        self.assertEqual(event["log_level"], LogLevel.warn)
        self.assertEqual(self.logged_in(), [])

    def test_events_of_the_sampled_connections_are_logged(self) -> None:
        self.started(log_first=1, log_every=3)
        with capturedLogs() as events:
            for peer in range(1, 5):
                self.accepted(peer)
        self.assertEqual({event["connection"] for event in events}, {1, 3})


class StopTests(ServerInMemory):
    def test_it_stops_listening_and_leaves_no_delayed_calls(self) -> None:
        server = self.started(handler=HandlerName.PROXY, status="tcp:8898")
        self.assertTrue(server.running)
        self.successResultOf(server.stopService())
        self.assertFalse(server.running)
        self.assertEqual(sorted(self.reactor.stopped), [0, 8898, 8899])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_a_port_that_cannot_be_closed_does_not_keep_it_from_its_end(self) -> None:
        def fail() -> None:
            raise FileNotFoundError(2, "No such file or directory", "a socket that is gone")

        server = self.started()
        (port,) = server._ports
        self.patch(port, "stopListening", fail)
        with self.lines() as lines:
            self.successResultOf(server.stopService())
        problem = "[Errno 2] No such file or directory: 'a socket that is gone'"
        self.assertIn(f"cannot stop listening: {problem}", lines)
        self.assertIn("summary", lines[-1])

    def test_it_aborts_open_connections_and_waits_for_them(self) -> None:
        server = self.started()
        wires = [self.accepted(peer) for peer in (1, 2)]
        stopping = server.stopService()
        for wire in wires:
            self.assertTrue(wire.aborted)
            self.assertNoResult(stopping)
            wire.turn()
        self.assertIsNone(self.successResultOf(stopping))

    def test_it_gives_connections_time_to_end_in_order(self) -> None:
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

    def test_the_embedded_sink_stays_open_until_connections_have_drained(self) -> None:
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

    def test_it_aborts_the_embedded_sink_too(self) -> None:
        server = self.started(handler=HandlerName.PROXY)
        at_sink = self.accepted(1, port=0)
        stopping = server.stopService()
        self.assertTrue(at_sink.aborted)
        self.assertNoResult(stopping)
        at_sink.turn()
        self.successResultOf(stopping)

    def test_it_aborts_a_backend_that_does_not_read_the_rest(self) -> None:
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

    def test_it_logs_a_summary(self) -> None:
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

    def test_the_summary_has_the_greatest_lag_since_the_start(self) -> None:
        server = self.started(interval=1.0)
        self.reactor.advance(0.55)
        self.reactor.advance(0.45)
        with self.lines() as lines:
            self.successResultOf(server.stopService())
        self.assertIn("greatest lag 500 ms", lines[-1])

    def test_it_logs_the_number_of_suppressed_failures(self) -> None:
        server = self.started(mode=ModeName.PAIR)
        for peer in range(21):
            self.fail_handshake(peer)
        with self.lines() as lines:
            self.successResultOf(server.stopService())
        self.assertEqual(lines[0], "1 more failures were not logged one by one")

    def test_it_can_be_stopped_after_a_failed_start(self) -> None:
        self.successResultOf(self.server().stopService())
