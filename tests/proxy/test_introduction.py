"""How a backend is told a client's address, and what a proxy does meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import ClearClient, RecordingHandlerListener, WaitingBackend
from tlsdemo.net.proxy_header import read_proxy_header
from tlsdemo.proxy.introduction import IntroductionName, introducer
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.names import Names
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.starttls.smtp import SmtpFilter
from tlsdemo.tls import Delivery

V1, V2, XCLIENT = IntroductionName.V1, IntroductionName.V2, IntroductionName.XCLIENT
CLIENT, SERVER = IPv4Address("TCP", "192.0.2.7", 4711), IPv4Address("TCP", "192.0.2.2", 25)
OFFER = b"250-a\r\n250 XCLIENT ADDR PORT\r\n"


class Introducing(SynchronousTestCase):
    def start(self, name: IntroductionName, client: Any, server: Any = SERVER) -> bytes:
        introduce = introducer(name, DIALECTS["smtp"])
        assert introduce is not None
        return introduce(client, server).start()

    def test_nothing(self) -> None:
        self.assertIsNone(introducer(IntroductionName.NONE, DIALECTS["smtp"]))

    def test_a_header(self) -> None:
        one, two = self.start(V1, CLIENT), self.start(V2, CLIENT)
        self.assertEqual(one, b"PROXY TCP4 192.0.2.7 192.0.2.2 4711 25\r\n")
        self.assertEqual(read_proxy_header(two)[0], read_proxy_header(one)[0])  # type: ignore[index]

    def test_a_client_with_a_scope(self) -> None:
        server = IPv6Address("TCP", "fe80::2%eth0", 25)
        said = self.start(V1, IPv6Address("TCP", "fe80::1%eth0", 5), server)
        self.assertEqual(said, b"PROXY TCP6 fe80::1 fe80::2 5 25\r\n")

    def test_a_client_without_an_address(self) -> None:
        self.assertEqual(self.start(V1, UNIXAddress(b"")), b"PROXY UNKNOWN\r\n")

    def test_xclient_says_nothing_before_the_greeting(self) -> None:
        self.assertEqual(self.start(XCLIENT, CLIENT), b"")

    def test_xclient_is_for_mail_only(self) -> None:
        error = self.assertRaises(ValueError, introducer, XCLIENT, DIALECTS["imap"])
        self.assertEqual(str(error), "there is no XCLIENT in imap")
        for name in ("smtp", "lmtp"):
            self.assertIsNotNone(introducer(XCLIENT, DIALECTS[name]))


class Proxying(SynchronousTestCase):
    def proxy(self, name: IntroductionName, protocol_filter: ProtocolFilter | None = None) -> Any:
        """Our connection to the backend, just made; the client's is in ``self.wire``."""
        self.log: list[object] = []
        waiting = WaitingBackend()
        introduce = introducer(name, DIALECTS["smtp"], Names("proxy.example"))
        backend = replace(waiting.backend, introduce=introduce)
        proxy = ProxyHandler(RecordingHandlerListener(self.log), backend, protocol_filter)
        self.wire = ClearClient(proxy, Delivery.RECORD, self.log).wire
        self.early = proxy.dataReceived
        self.clock = waiting.clock
        return waiting.connect()

    def test_a_header_comes_before_everything(self) -> None:
        backend = self.proxy(V1)
        self.wire.deliver(b"hello")
        self.assertEqual(backend.take(), b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello")
        backend.deliver(b"you")
        self.assertEqual(self.wire.take(), b"you")

    def test_a_header_does_not_wait_for_a_greeting(self) -> None:
        backend = self.proxy(V1, SmtpFilter())
        self.early(b"NOOP\r\n")
        self.assertEqual(backend.take(), b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
        backend.deliver(b"220 a\r\n")
        self.assertEqual(backend.take(), b"NOOP\r\n")

    def test_xclient_comes_before_the_session(self) -> None:
        for greeted in (True, False):
            backend = self.proxy(XCLIENT, SmtpFilter(greeted))
            self.early(b"NOOP\r\n")
            self.assertEqual(backend.take(), b"")
            backend.deliver(b"220 for the proxy\r\n")
            self.assertEqual(backend.take(), b"EHLO proxy.example\r\n")
            for byte in OFFER:
                backend.deliver(bytes([byte]))
            self.assertEqual(backend.take(), b"XCLIENT ADDR=192.0.2.1 PORT=1\r\n")
            self.assertTrue(self.wire.paused)
            backend.deliver(b"220 for the client\r\n")
            self.assertEqual(backend.take(), b"NOOP\r\n")
            self.assertEqual(self.wire.take(), b"" if greeted else b"220 for the client\r\n")
            backend.deliver(b"250 OK\r\n")
            self.assertEqual(self.wire.take(), b"250 OK\r\n")
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_if_the_backend_does_not_accept_xclient_nothing_is_forwarded(self) -> None:
        for greeted in (True, False):
            for replies, detail in (
                ((b"554 no\r\n",), "the backend's greeting is '554 no'"),
                ((b"220 a\r\n", b"250 a\r\n"), "the backend does not offer us XCLIENT with ADDR"),
                (
                    (b"220 a\r\n", OFFER, b"501 Bad ADDR syntax\r\n"),
                    "the backend answered XCLIENT with '501 Bad ADDR syntax'",
                ),
            ):
                backend = self.proxy(XCLIENT, SmtpFilter(greeted))
                self.early(b"NOOP\r\n")
                for reply in replies:
                    backend.take()
                    backend.deliver(reply)
                self.assertTrue(backend.aborted and self.wire.aborted)
                self.assertEqual((backend.take(), self.wire.take()), (b"", b""))
                self.assertIn(f"drained: backend refused: {detail}", self.log)
                backend.turn()
                self.wire.turn()
                self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_backend_that_does_not_answer_is_aborted(self) -> None:
        backend = self.proxy(XCLIENT, SmtpFilter())
        backend.deliver(b"220 a\r\n")
        self.clock.advance(5)
        self.assertTrue(backend.aborted and self.wire.aborted)
        self.assertIn("drained: backend refused: no greeting after 4 s", self.log)
