"""Connections that begin with a header of the PROXY protocol, in every mode, on real sockets."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.proxy.loopback_server import EchoPeer, LoopbackTestCase, Peer, TLSPeer
from tests.tls.memory_ends import foreign_client
from tlsdemo.net.proxy_header import ProxyHeader, ProxyVersion, write_proxy_header
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.introduction import IntroductionName
from tlsdemo.proxy.proxy_header_factory import ProxyHeaderSettings
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ModeName

V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"
ENDS = ProxyHeader((IPv4Address("192.0.2.7"), 4711), (IPv4Address("198.51.100.1"), 25))
V2 = write_proxy_header(ENDS, ProxyVersion.V2)
LISTEN = ["haproxy:tcp:0:interface=127.0.0.1"]
STARTTLS = (b"220 tlsdemo ESMTP\r\n", b"EHLO a\r\n"), (b"250 STARTTLS\r\n", b"STARTTLS\r\n")


class AnnouncedPeer(TLSPeer):
    """A client that sends ``header`` first; in ``smtp``, it then asks for TLS.

    The header is sent in one segment with what follows, or in ``pieces``.
    """

    def __init__(self, header: bytes, tls: bool = True, smtp: bool = False) -> None:
        super().__init__(foreign_client())
        self._header = header
        self._with_tls = tls
        self._turns = [*STARTTLS, (b"220 2.0.0 Ready to start TLS\r\n", b"")] if smtp else []
        self._plain = b""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._header)
        if not self._with_tls:
            self.made.callback(None)
        elif not self._turns:
            super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        if not self._with_tls:
            self.take(data)
        elif not self._turns:
            super().dataReceived(data)
        else:
            self._plain += data
            if self._plain.endswith(self._turns[0][0]):
                self.transport.write(self._turns.pop(0)[1])
                if not self._turns:
                    super().connectionMade()

    def send(self, data: bytes) -> None:
        if self._with_tls:
            super().send(data)
        else:
            Peer.send(self, data)


class ProxyProtocol(LoopbackTestCase):
    def serve(self, mode: ModeName, *arguments: Any, **changes: Any) -> Any:
        return super().serve(mode, *arguments, **{"listen": LISTEN, **changes})

    async def echoed(self, server: Any, peer: Peer) -> None:
        await self.connect(server, peer)
        await peer.made
        peer.send(b"hello")
        self.assertEqual(await peer.received(5), b"hello")

    async def test_every_mode_and_version(self) -> None:
        for mode in ModeName:
            server = self.serve(mode, log_first=9)
            for header in (V1, V2):
                self.log.lines.clear()
                peer = AnnouncedPeer(header, tls=mode is not ModeName.CLEAR)
                await self.echoed(server, peer)
                self.assertTrue(any("192.0.2.7:4711" in line for line in self.log.lines), mode)
                self.assertFalse(any("127.0.0.1:" in line for line in self.log.lines), mode)
                await peer.gone()

    async def test_a_dialect_in_which_the_server_speaks_first(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR):
            server = self.serve(mode, dialect=DIALECTS["smtp"])
            for header in (V1, V2):
                await self.echoed(server, AnnouncedPeer(header, smtp=True))

    async def test_a_dialect_that_waits_for_the_first_byte(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR):
            server = self.serve(mode, dialect=DIALECTS["smtp"], auto=True)
            await self.echoed(server, AnnouncedPeer(V2, smtp=True))
            await self.echoed(server, AnnouncedPeer(V2))

    async def test_a_header_and_what_follows_in_pieces(self) -> None:
        server = self.serve(ModeName.CLEAR)
        peer = await self.connect(server, Peer())
        for byte in V2 + b"hello":
            peer.send(bytes([byte]))
            await deferLater(reactor, 0, lambda: None)
        self.assertEqual(await peer.received(5), b"hello")

    async def test_refused_connections_are_closed_and_leave_no_descriptor(self) -> None:
        server = self.serve(ModeName.STARTTLS, max_per_address=2)
        held = [AnnouncedPeer(V1) for _ in range(2)]
        for peer in held:
            await self.echoed(server, peer)
        before = len(os.listdir("/dev/fd"))
        for header in (V1, b"EHLO a\r\n") * 6:
            refused = await self.connect(server, AnnouncedPeer(header, tls=False))
            await refused.lost
        self.assertEqual(len(os.listdir("/dev/fd")), before)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(server.snapshot().open, 2)

    async def test_others_are_refused(self) -> None:
        server = self.serve(ModeName.CLEAR, proxy_headers=ProxyHeaderSettings([]))
        peer = await self.connect(server, AnnouncedPeer(V1, tls=False))
        await peer.lost
        self.assertEqual(server.snapshot().failed, {"PROXY header refused": 1})

    async def test_the_backend_is_told_the_client_s_address(self) -> None:
        for mode in ModeName:
            with_tls = mode is not ModeName.CLEAR
            v2 = write_proxy_header(ENDS, ProxyVersion.V2, tls=with_tls)
            for name, header in ((IntroductionName.V1, V1), (IntroductionName.V2, v2)):
                backends: list[EchoPeer] = []

                def backend(backends: list[EchoPeer] = backends) -> EchoPeer:
                    backends.append(EchoPeer())
                    return backends[0]

                server = self.serve(
                    mode,
                    handler=HandlerName.PROXY,
                    backend=await self.backend(backend),
                    introduction=name,
                )
                peer = AnnouncedPeer(V1, tls=with_tls)
                await self.connect(server, peer)
                await peer.made
                peer.send(b"hello")
                expected = header + b"hello"
                self.assertEqual(await peer.received(len(expected)), expected)
                self.assertEqual(await backends[0].received(len(expected)), expected)
