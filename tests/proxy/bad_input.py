"""Bad input ends its own connection, and nothing else, in every mode that encrypts."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

import trustme
from twisted.internet.error import ConnectionDone

from tests.proxy.loopback_server import MEBIBYTE, EchoPeer, LoopbackTestCase, Peer, TLSPeer
from tests.tls.memory_ends import TLS12, TLS13, anonymous, foreign_client
from tlsdemo.certificates.files import Credentials
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import ModeName

HALF = len(MEBIBYTE) // 2


class BadInputContract(LoopbackTestCase):
    mode: ClassVar[ModeName]

    async def check_both(
        self, bad: Callable[[Server], Awaitable[Peer]], cause: str, detail: str
    ) -> None:
        """Check that a bad connection fails with ``cause``, and a good one is not affected."""
        snapshot = await self.beside_a_good_one(bad, fails=True)
        (line,) = [each for each in self.log.lines if "failed" in each]
        self.assertRegex(line, rf"^#2 127\.0\.0\.1:\d+ failed: {cause}: .*{detail}")
        self.assertNotIn("\n", line)
        self.assertEqual((snapshot.failed, snapshot.probes), ({cause: 1}, 0))

    async def check_probe(self, probe: Callable[[Server], Awaitable[Peer]]) -> None:
        """Check that a probe is counted, and that no failure is logged."""
        snapshot = await self.beside_a_good_one(probe, fails=False)
        self.assertEqual([each for each in self.log.lines if "failed" in each], [])
        self.assertEqual((snapshot.failed, snapshot.probes), ({}, 1))

    async def beside_a_good_one(
        self, bad: Callable[[Server], Awaitable[Peer]], *, fails: bool
    ) -> Snapshot:
        """Make a bad connection beside a good one, which must not be affected.

        ``fails``: whether to wait for a line about the failure.
        """
        self.backends: list[EchoPeer] = []

        def make() -> EchoPeer:
            self.backends.append(EchoPeer())
            return self.backends[-1]

        where = await self.backend(make)
        server = self.serve(self.mode, handler=HandlerName.PROXY, backend=where)
        good = await self.connect(server, self.client(self.mode))
        await good.made
        good.send(MEBIBYTE[:1])
        await good.received(1)
        good.send(MEBIBYTE[1:HALF])
        peer = await bad(server)
        if fails:
            await self.log.with_text("failed")
        await peer.gone()
        good.send(MEBIBYTE[HALF:])
        self.assertEqual(await good.received(len(MEBIBYTE)), MEBIBYTE)
        good.close()
        self.assertIsInstance(await good.lost, ConnectionDone)
        await self.backends[0].lost
        snapshot = server.snapshot()
        self.assertEqual((snapshot.clean, snapshot.open), (1, 0))
        self.assertEqual(self.flushLoggedErrors(), [])
        return snapshot

    def sending(self, data: bytes) -> Callable[[Server], Awaitable[Peer]]:
        """A peer that sends ``data``, and waits until it is disconnected."""

        async def send(server: Server) -> Peer:
            peer = await self.connect(server, Peer())
            peer.send(data)
            await peer.lost
            return peer

        return send

    def authenticating(
        self, credentials: Credentials, version: ssl.TLSVersion
    ) -> Callable[[Server], Awaitable[Peer]]:
        """A client with ``credentials``, which waits until it is disconnected."""

        async def show(server: Server) -> Peer:
            client = TLSPeer(foreign_client(credentials=credentials, version=version))
            await self.connect(server, client)
            await client.lost
            return client

        return show

    def untrusted_credentials(self) -> Credentials:
        """A certificate of an authority that the server does not trust."""
        leaf = trustme.CA().issue_cert("someone@example.org")
        certificate, key = Path(self.mktemp()), Path(self.mktemp())
        certificate.write_bytes(leaf.cert_chain_pems[0].bytes())
        key.write_bytes(leaf.private_key_pem.bytes())
        return Credentials(certificate, key, anonymous().authority)

    async def test_garbage_instead_of_tls(self) -> None:
        bad = self.sending(b"garbage instead of TLS\r\n")
        await self.check_both(bad, "plain bytes instead of TLS", "")

    async def test_an_http_request(self) -> None:
        bad = self.sending(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await self.check_both(bad, "plain bytes instead of TLS", "http request")

    async def test_garbage_that_begins_like_tls(self) -> None:
        bad = self.sending(b"\x16\x03\x01\x00\x05" + bytes(5))
        await self.check_both(bad, "protocol error", "")

    async def test_a_client_without_a_certificate(self) -> None:
        for version in (TLS12, TLS13):
            bad = self.authenticating(anonymous(), version)
            await self.check_both(bad, "certificate missing", "peer did not return a certificate")
            self.log.lines.clear()

    async def test_a_client_with_a_certificate_of_another_authority(self) -> None:
        for version in (TLS12, TLS13):
            bad = self.authenticating(self.untrusted_credentials(), version)
            await self.check_both(bad, "certificate untrusted", "issuer")
            self.log.lines.clear()

    async def test_a_connection_that_closes_at_once(self) -> None:
        async def close(server: Server) -> Peer:
            peer = await self.connect(server, Peer())
            peer.close()
            return peer

        await self.check_probe(close)

    async def test_a_connection_that_is_reset_at_once(self) -> None:
        async def reset(server: Server) -> Peer:
            peer = await self.connect(server, Peer())
            peer.abort()
            return peer

        await self.check_probe(reset)

    async def test_a_client_that_closes_within_its_client_hello(self) -> None:
        async def begin(server: Server) -> Peer:
            peer = await self.connect(server, Peer())
            peer.send(foreign_client().take()[:40])
            peer.close()
            return peer

        await self.check_both(begin, "handshake interrupted", "the peer closed before")

    async def test_a_client_that_is_reset(self) -> None:
        async def cut(server: Server) -> Peer:
            client = await self.connect(server, self.client(self.mode))
            await client.made
            client.send(b"half of it")
            await client.received(10)
            client.abort()
            return client

        await self.check_both(cut, "truncated", "the peer closed without close_notify")

    async def test_a_backend_that_refuses(self) -> None:
        async def refused(server: Server) -> Peer:
            await self.backend_port.stopListening()
            client = await self.connect(server, self.client(self.mode))
            await client.lost
            return client

        await self.check_both(refused, "backend refused", "Connection was refused")

    async def test_a_backend_that_dies(self) -> None:
        async def dying(server: Server) -> Peer:
            client = await self.connect(server, self.client(self.mode))
            await client.made
            client.send(b"to be echoed")
            await client.received(12)
            self.backends[-1].abort()
            await client.lost
            return client

        await self.check_both(dying, "backend lost", "non-clean")
