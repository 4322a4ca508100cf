"""Listening on endpoints that put something before the socket, or accept no connections."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from tests.proxy.loopback_server import LoopbackTestCase, Peer, TLSPeer
from tests.support import certificates
from tests.tls.memory_ends import foreign_client
from tlsdemo.proxy import listening
from tlsdemo.proxy.listening import CannotStart, listen, with_backlog
from tlsdemo.tls import ModeName


def ssl_endpoint() -> str:
    server: Any = certificates().server
    key, certificate = (str(path).replace(":", "\\:") for path in (server.key, server.certificate))
    return f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"


class BacklogTests(TestCase):
    def test_a_backlog_is_added_to_endpoints_that_can_have_one(self) -> None:
        for where in ("tcp:8899", "tcp6:0", "ssl:443:interface=127.0.0.1", "unix:/run/x"):
            self.assertEqual(with_backlog(where), f"{where}:backlog=512")

    def test_an_explicit_backlog_is_kept(self) -> None:
        for where in ("tcp:8899:backlog=7", "unix:/run/x:backlog=7", "systemd:index=0", "fd:3"):
            self.assertEqual(with_backlog(where), where)


class Listening(TestCase):
    def listen(self, where: str, socket_for: str = "") -> Any:
        factory: Any = Factory.forProtocol(Protocol)
        factory.noisy = False
        port: Any = listen(reactor, where, factory, socket_for)
        self.addCleanup(port.stopListening)
        return port

    def refused(self, where: str, socket_for: str = "") -> str:
        return str(self.assertRaises(CannotStart, self.listen, where, socket_for))

    def test_a_socket(self) -> None:
        path = self.mktemp()
        for where in ("tcp:0:interface=127.0.0.1", f"unix:{path}"):
            self.assertTrue(self.listen(where, "the test"))

    def test_an_endpoint_that_puts_something_before_the_socket(self) -> None:
        for where, layer in (
            (ssl_endpoint(), "TLSMemoryBIOFactory"),
            ("haproxy:tcp:0:interface=127.0.0.1", "HAProxyWrappingFactory"),
        ):
            self.assertTrue(self.listen(where))
            self.assertEqual(
                self.refused(where, "--mode=starttls"),
                f"cannot listen on {where}: --mode=starttls needs the socket itself, and the "
                f"endpoint puts a {layer} before it; use tcp:, tcp6:, unix: or systemd:",
            )

    def test_an_endpoint_that_does_not_listen(self) -> None:
        class One:
            def listen(self, factory: object) -> object:
                return self

        self.patch(listening, "serverFromString", lambda reactor, where: One())
        for where in ("stdio:", "other:"):
            problem = f"cannot listen on {where}: the endpoint accepts no connections"
            self.assertEqual(self.refused(where), problem)


class LayeredEndpoints(LoopbackTestCase):
    async def test_a_client_is_served_and_the_next_one_is_closed(self) -> None:
        server = self.serve(ModeName.CLEAR, listen=[ssl_endpoint()], max_connections=1)
        first: Any = await self.connect(server, TLSPeer(foreign_client()))
        await first.made
        first.send(b"hello")
        self.assertEqual(await first.received(5), b"hello")
        second: Peer = await self.connect(server, Peer())
        await second.lost
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_what_needs_the_socket_is_refused(self) -> None:
        for mode, where, needs in (
            (ModeName.STARTTLS, ssl_endpoint(), "--mode=starttls"),
            (ModeName.PAIR, f"haproxy:{ssl_endpoint()}", "the PROXY protocol"),
            (ModeName.CLEAR, "haproxy:haproxy:tcp:0:interface=127.0.0.1", "the PROXY protocol"),
        ):
            error = self.assertRaises(CannotStart, self.serve, mode, listen=[where])
            self.assertIn(f"{needs} needs the socket itself", str(error))
