"""A plain nats-server behind the proxy, nats-py before it; and our client before a nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from interop.attempts import tried
from interop.peers import client_context, module, program
from interop.test_our_client import MODES, ClientCase
from tests.support import certificates

PAYLOADS = [
    b"",
    b"INFO {}\r\nPONG\r\n",
    b"\x16\x03\x01\x00",
    bytes(range(256)) * 1000,
    *(b"%d" % number for number in range(500)),
]

CONNECT = b'CONNECT {"verbose":true,"user":"demo","pass":"secret"}\r\n'


class NatsCase(ClientCase):
    def nats_server(self, *options: str) -> int:
        """Start a nats-server; return its port."""
        server = self.daemon(
            *(program("nats-server", "nats-server"), "-a", "127.0.0.1", "-p", "-1"),
            *("--user", "demo", "--pass", "secret", *options),
        )
        port = int(
            server.wait_for_line(r"Listening for client connections on 127\.0\.0\.1:(\d+)")[1]
        )
        server.wait_for_line("Server is ready")
        return port

    def with_tls(self) -> list[str]:
        """Return the options of a nats-server that requires TLS."""
        server = certificates().server
        return ["--tls", f"--tlscert={server.certificate}", f"--tlskey={server.key}"]

    def with_client(self, port: int, use: Callable[[Any], Awaitable[None]], **options: Any) -> None:
        """Connect nats-py through TLS, and use it."""
        nats = module("nats", "nats-py")

        async def connected() -> None:
            client = await nats.connect(
                f"nats://localhost:{port}",
                tls=client_context(),
                tls_hostname="localhost",
                user="demo",
                password="secret",
                allow_reconnect=False,
                connect_timeout=20,
                error_cb=self.ignored,
                **options,
            )
            await use(client)
            await client.close()

        asyncio.run(connected())

    async def ignored(self, error: Exception) -> None:
        """Keep nats-py from logging an error that it raises as well."""


class NatsPyTests(NatsCase):
    def setUp(self) -> None:
        super().setUp()
        module("nats", "nats-py")
        self.behind = self.nats_server()

    @tried("500 messages are published and received", "nats-py", "nats-server")
    def test_publishes_and_receives_through_the_proxy(self) -> None:
        async def round_trip(client: Any) -> None:
            messages = await client.subscribe("subject")
            for payload in PAYLOADS:
                await client.publish("subject", payload, headers={"Length": str(len(payload))})
            for payload in PAYLOADS:
                message = await messages.next_msg(timeout=20)
                self.assertEqual(message.data, payload)
                self.assertEqual(message.headers, {"Length": str(len(payload))})

        for mode in MODES:
            port = self.proxy("nats", self.behind, f"--mode={mode}")
            self.with_client(port, round_trip)
            self.assert_all_served(1)

    @tried("a request is answered", "nats-py", "nats-server")
    def test_gets_an_answer_to_a_request_through_the_proxy(self) -> None:
        async def request(client: Any) -> None:
            async def answer(message: Any) -> None:
                await message.respond(message.data.upper())

            await client.subscribe("service", cb=answer)
            reply = await client.request("service", b"question", timeout=20)
            self.assertEqual(reply.data, b"QUESTION")

        self.with_client(self.proxy("nats", self.behind), request)

    @tried("TLS first", "nats-py", "nats-server")
    def test_may_begin_with_tls_if_the_dialect_is_immediate(self) -> None:
        async def flush(client: Any) -> None:
            await client.flush(timeout=20)

        port = self.proxy("immediate", self.behind)
        self.with_client(port, flush, tls_handshake_first=True)
        self.assert_all_served(1)

    @tried("a wrong password: the client gets the server's own error", "nats-py", "nats-server")
    def test_learns_that_the_password_is_wrong(self) -> None:
        self.behind = self.nats_server("--pass", "another")

        async def never(client: Any) -> None:
            self.fail("the backend has let the client in")

        nats = module("nats", "nats-py")
        error = self.assertRaises(
            nats.errors.Error, self.with_client, self.proxy("nats", self.behind), never
        )
        self.assertIn("Authorization Violation", str(error))

    @tried("a backend that requires TLS itself is refused", "nats-py", "nats-server")
    def test_does_not_connect_to_a_backend_that_requires_tls(self) -> None:
        behind = self.nats_server(*self.with_tls())
        nats = module("nats", "nats-py")

        async def never(client: Any) -> None:
            self.fail("the backend has let the client in")

        self.assertRaises(
            (OSError, asyncio.TimeoutError, nats.errors.Error),
            self.with_client,
            self.proxy("nats", behind),
            never,
        )
        self.running.wait_for_line("failed: backend refused: the backend requires TLS")


class OurClientTests(NatsCase):
    @tried("secure, answered, verified", "nats-server")
    def test_becomes_secure_before_a_nats_server_with_tls(self) -> None:
        port = self.nats_server(*self.with_tls())
        for mode in MODES:
            output = self.run_client("nats", port, f"--mode={mode}", message=CONNECT)
            self.assertIn("secure TLSv1.3", output)
            self.assertIn("+OK", output)
        output = self.run_client("nats", port, "--name=elsewhere.example.test", message=CONNECT)
        self.assertIn("insecure: wrong name", output)
        self.assertNotIn("answered", output)
        _, output = self.load("nats", port)
        self.assertIn("3 connections: 3 secured in", output)

    @tried("a server without TLS gets nothing", "nats-server")
    def test_turns_away_from_a_nats_server_without_tls(self) -> None:
        port = self.nats_server()
        for mode in MODES:
            output = self.run_client("nats", port, f"--mode={mode}", message=CONNECT)
            self.assertIn("insecure: peer offers no TLS", output)
            self.assertNotIn("answered", output)
