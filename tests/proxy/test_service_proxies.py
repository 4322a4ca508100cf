"""A server between other proxies: headers from a balancer, and what the backend is told."""

from __future__ import annotations

from twisted.logger import LogLevel, capturedLogs, formatEvent

from tests.proxy.memory_server import ServerInMemory
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.introduction import IntroductionName
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ModeName

BACKEND = "tcp:192.0.2.9:25"


class BetweenProxies(ServerInMemory):
    def test_connections_of_some_endpoints_begin_with_a_header(self) -> None:
        with self.lines() as lines:
            self.started(listen=["haproxy:tcp:25:interface=127.0.0.1", "tcp:8899"], log_first=9)
        announced = "a header of the PROXY protocol is required on haproxy:tcp:25:interface="
        announced += "127.0.0.1, and accepted from 127.0.0.0/8, ::1/128, UNIX sockets"
        self.assertEqual(lines[1:], [announced])
        with self.lines() as lines:
            wire = self.accepted(1, host="127.0.0.1", port=25)
            wire.deliver(b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 25\r\n")
            self.accepted(2)
        self.assertEqual(lines[0], "#1 192.0.2.7:4711 +0.0000s connected")
        self.assertEqual(lines[2], "#2 192.0.2.1:2 +0.0000s connected")

    def test_a_backend_is_told_the_client_s_address(self) -> None:
        self.started(handler=HandlerName.PROXY, backend=BACKEND, introduction=IntroductionName.V1)
        self.accepted(1)
        header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
        self.assertEqual(self.backend_connected().take(), header)

    def test_it_warns_of_a_mail_server_that_does_not_know_its_clients(self) -> None:
        proxy = {"handler": HandlerName.PROXY, "backend": BACKEND}
        for changes, warns in (
            ({**proxy, "dialect": DIALECTS["smtp"]}, True),
            ({**proxy, "dialect": DIALECTS["lmtp"]}, True),
            ({**proxy, "dialect": DIALECTS["imap"]}, False),
            ({"handler": HandlerName.PROXY, "dialect": DIALECTS["smtp"]}, False),
            *(
                ({**proxy, "dialect": DIALECTS["smtp"], "introduction": name}, False)
                for name in IntroductionName
            ),
        ):
            self.setUp()
            with capturedLogs() as events:
                self.started(mode=ModeName.PAIR, **changes)
            warnings = [event for event in events if event["log_level"] is LogLevel.warn]
            texts = [str(formatEvent(event)) for event in warnings]
            self.assertEqual([text.startswith("OPEN RELAY?") for text in texts], [True] * warns)

    def test_it_aborts_connections_whose_header_is_not_complete(self) -> None:
        server = self.started(listen=["haproxy:tcp:25"])
        wire = self.accepted(1, host="127.0.0.1", port=25)
        stopping = server.stopService()
        self.assertTrue(wire.aborted)
        self.assertNoResult(stopping)
        wire.turn()
        self.successResultOf(stopping)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
