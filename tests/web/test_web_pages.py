from __future__ import annotations

import re

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import deferLater

from tests.proxy.loopback_server import Peer
from tests.web.loopback_pages import PagesCase
from tlsdemo.proxy.service import CannotStart
from tlsdemo.tls import MODES, ModeName
from tlsdemo.web import event_stream, site
from tlsdemo.web.connection_list import TraceUnavailable
from tlsdemo.web.door import HEADERS
from tlsdemo.web.web_pages import WebPages


class Pages(PagesCase):
    def test_have_the_metrics_of_the_server(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages(ModeName.PAIR)
            code, headers, text = await self.get("/metrics")
            self.assertEqual(code, 200)
            self.assertTrue(headers["content-type"].startswith("text/plain"))
            self.assertIn('tlsdemo_connections_total{dialect="immediate",mode="pair"} 0.0', text)
            accept = "application/openmetrics-text; version=1.0.0"
            _, headers, text = await self.get("/metrics", Accept=accept)
            self.assertTrue(headers["content-type"].startswith("application/openmetrics-text"))
            self.assertTrue(text.endswith("# EOF\n"))

        return Deferred.fromCoroutine(scenario())

    def test_tell_that_the_server_is_ready_until_it_drains(self) -> Deferred[None]:
        async def scenario() -> None:
            server = self.serve_pages(drain=20.0)
            self.assertEqual((await self.get("/readyz"))[::2], (200, "ready\n"))
            client = await self.connect(server, self.client(ModeName.STARTTLS))
            await client.made
            client.send(b"hello")
            await client.received(5)
            # A client that does not answer a close_notify.
            client.transport.stopReading()  # type: ignore[union-attr]
            stopped = server.stopService()
            self.assertEqual((await self.get("/readyz"))[::2], (503, "draining\n"))
            self.assertEqual((await self.get("/healthz"))[::2], (200, "alive\n"))
            self.assertIn('state="closing"} 1.0', (await self.get("/metrics"))[2])
            client.transport.startReading()  # type: ignore[union-attr]
            await stopped

        return Deferred.fromCoroutine(scenario())

    def test_are_only_those(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            for path in ("/x", "/metricsx", "/%2e%2e/etc/passwd"):
                code, _, text = await self.get(path)
                self.assertEqual((code, text), (404, "there is no such page; / is the first one\n"))

        return Deferred.fromCoroutine(scenario())

    def test_can_be_read_by_no_other_origin(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            for path in ("/", "/metrics", "/healthz", "/nothing"):
                _, headers, _ = await self.get(path)
                for name, value in HEADERS.items():
                    self.assertEqual(headers[name.lower()], value, path)
                self.assertNotIn("access-control-allow-origin", headers)
                code, _, _ = await self.get(path, Host="attacker.example")
                self.assertEqual(code, 403)

        return Deferred.fromCoroutine(scenario())

    def test_take_no_body(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            for path in ("/metrics", "/healthz", "/readyz"):
                code, _, _ = await self.get(path, method="POST")
                self.assertEqual(code, 405)

        return Deferred.fromCoroutine(scenario())

    def test_answer_whatever_bytes_a_header_has(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            for name in (b"Host", b"Origin", b"Authorization", b"Accept", b"Accept-Encoding"):
                client = Peer()
                await self.connect_to(f"tcp:127.0.0.1:{self.port}", client)
                host = b"" if name == b"Host" else b"Host: localhost\r\n"
                client.send(
                    b"GET /metrics HTTP/1.1\r\n%s%s: \xff\xfe\r\nConnection: close\r\n\r\n"
                    % (host, name)
                )
                status = await client.received(12)
                self.assertIn(status[9:12], (b"200", b"403"), name)
                await client.lost
            self.assertEqual(self.flushLoggedErrors(), [])

        return Deferred.fromCoroutine(scenario())

    def test_are_no_more_than_a_number_of_connections(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            self.patch(site, "MAX_CONNECTIONS", 1)
            first, second = Peer(), Peer()
            for each in (first, second):
                await self.connect_to(f"tcp:127.0.0.1:{self.port}", each)
            await second.lost
            first.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual((await first.received(12))[9:12], b"200")

        return Deferred.fromCoroutine(scenario())

    def test_cannot_be_where_something_else_listens(self) -> None:
        server = self.serve_pages()
        pages = WebPages(f"tcp:{self.port}:interface=127.0.0.1", None, MODES[ModeName.STARTTLS])
        self.assertRaises(CannotStart, pages.listen, reactor, server, server._settings)

    def test_are_closed_with_the_server(self) -> Deferred[None]:
        async def scenario() -> None:
            server = self.serve_pages()
            await self.get("/healthz")
            await server.stopService()
            await deferLater(reactor, 0)
            await self.assertFailure(
                Deferred.fromCoroutine(self.get("/healthz")), ConnectionRefusedError
            )

        return Deferred.fromCoroutine(scenario())


class PagesWithToken(PagesCase):
    token = "0123456789abcdef"

    def test_ask_for_it(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            code, headers, _ = await self.get("/metrics")
            self.assertEqual(code, 401)
            self.assertIn("Basic", headers["www-authenticate"])
            code, _, _ = await self.get("/metrics", Authorization=f"Bearer {self.token}")
            self.assertEqual(code, 200)
            self.assertEqual((await self.get("/healthz"))[0], 200)

        return Deferred.fromCoroutine(scenario())


class TheLivePage(PagesCase):
    def test_refers_to_nothing_but_what_the_server_has(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            code, _, page = await self.get("/")
            self.assertEqual(code, 200)
            links = re.findall(r'(?:href|src)="(/[^"]*)"', page)
            self.assertGreater(len(links), 4)
            for link in links:
                self.assertEqual((await self.get(link))[0], 200, link)
            self.assertNotIn("://", page)

        return Deferred.fromCoroutine(scenario())

    def test_streams_events_and_shows_a_connection(self) -> Deferred[None]:
        async def scenario() -> None:
            server = self.serve_pages()
            client = await self.connect(server, self.client(ModeName.STARTTLS))
            await client.made
            client.send(b"cleartext")
            await client.received(9)
            stream = Peer()
            await self.connect_to(f"tcp:127.0.0.1:{self.port}", stream)
            stream.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            begun = b""
            while b"event: frame" not in begun:
                begun = await stream.received(len(begun) + 1)
            self.assertIn(b"text/event-stream", begun)
            self.assertIn(b"event: history", begun)
            stream.abort()
            code, _, page = await self.get("/connections/1")
            self.assertEqual(code, 200)
            self.assertIn("handshakeCompleted", page)
            self.assertNotIn("cleartext", page)
            self.assertNotRegex(page, r"<script(?! src=)|<style|<[^>]* (on\w+|style)=")
            for path in ("0", "2", "x", "1/x", "9" * 99, "%C2%B2", ""):
                self.assertEqual((await self.get(f"/connections/{path}"))[0], 404, path)

        return Deferred.fromCoroutine(scenario())

    def test_of_a_connection_whose_worker_does_not_answer_says_so(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            problem = TraceUnavailable("worker 2 does not answer")
            self.patch(self.pages.watched.connections, "trace", lambda _: fail(problem))
            for path in ("/connections/2", "/connections/2/diagram"):
                code, headers, text = await self.get(path)
                self.assertEqual((code, text), (503, f"{problem}; load this page again\n"))
                self.assertTrue(headers["content-type"].startswith("text/plain"))

        return Deferred.fromCoroutine(scenario())

    def test_is_dropped_if_it_does_not_read(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            self.patch(event_stream, "PATIENCE", -1.0)
            reader = Peer()
            await self.connect_to(f"tcp:127.0.0.1:{self.port}", reader)
            reader.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.received(12)
            reader.transport.stopReading()  # type: ignore[union-attr]
            (stream,) = self.pages._feed._readers
            # More than the kernel keeps for it.
            stream.send("frame", "x" * (1 << 24))
            await deferLater(reactor, 0)
            stream.send("frame", "{}")
            while self.pages._site.protocols:
                await deferLater(reactor, 0.01)
            self.assertEqual(self.pages._feed.readers, 0)
            reader.transport.startReading()  # type: ignore[union-attr]
            await reader.lost

        return Deferred.fromCoroutine(scenario())

    def test_answers_head_without_a_stream(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            code, headers, text = await self.get("/events", method="HEAD")
            self.assertEqual((code, text), (200, ""))
            self.assertTrue(headers["content-type"].startswith("text/event-stream"))
            self.assertEqual(self.pages._feed.readers, 0)

        return Deferred.fromCoroutine(scenario())

    def test_is_not_open_too_often(self) -> Deferred[None]:
        async def scenario() -> None:
            self.serve_pages()
            self.patch(event_stream, "MOST_STREAMS", 0)
            self.assertEqual((await self.get("/events"))[0], 503)

        return Deferred.fromCoroutine(scenario())
