"""The whole server over real sockets, with peers that are not ours on both sides."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from unittest import mock

from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.logger import capturedLogs, formatEvent

from tests.proxy import loopback_server as loopback
from tests.proxy.loopback_server import MEBIBYTE
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import CannotStart
from tlsdemo.tls import MODES, Delivery, ModeName

SOME = bytes(800_000)
"""More than a peer that does not read takes at once."""


class ForwardingTests(loopback.LoopbackTestCase):
    async def carry(self, mode: ModeName, delivery: Delivery | None = None) -> None:
        backend = loopback.EchoPeer()
        where = await self.backend(lambda: backend)
        server = self.serve(mode, delivery, handler=HandlerName.PROXY, backend=where)
        client = await self.connect(server, self.client(mode))
        await client.made
        client.send(MEBIBYTE)
        self.assertEqual(await client.received(len(MEBIBYTE)), MEBIBYTE)
        self.assertEqual(await backend.received(len(MEBIBYTE)), MEBIBYTE)
        client.close()
        self.assertIsInstance(await client.lost, ConnectionDone)
        self.assertIsInstance(await backend.lost, ConnectionDone)
        await self.idle(server)
        snapshot = server.snapshot()
        self.assertEqual((snapshot.open, snapshot.clean, snapshot.failures), (0, 1, 0))
        self.assertEqual((snapshot.bytes_in, snapshot.bytes_out), (len(MEBIBYTE), len(MEBIBYTE)))

    async def test_data_is_forwarded_in_mode_starttls(self) -> None:
        await self.carry(ModeName.STARTTLS)

    async def test_data_is_forwarded_in_mode_pair(self) -> None:
        await self.carry(ModeName.PAIR)

    async def test_data_is_forwarded_in_mode_wrapped(self) -> None:
        await self.carry(ModeName.WRAPPED)

    async def test_data_is_forwarded_in_mode_clear(self) -> None:
        await self.carry(ModeName.CLEAR)

    async def test_data_is_forwarded_with_on_demand_delivery(self) -> None:
        for mode in ModeName:
            await self.carry(mode, Delivery.READABLE)

    async def test_twisted_logs_what_listens_by_names_that_users_know(self) -> None:
        with capturedLogs() as events:
            self.serve(ModeName.CLEAR, handler=HandlerName.PROXY)
            self.serve(ModeName.CLEAR, listen=["haproxy:tcp:0:interface=127.0.0.1"])
        texts = [str(formatEvent(event)) for event in events]
        named = [each.partition(" starting on")[0] for each in texts if " starting on" in each]
        self.assertEqual(set(named), {"the server", "the embedded sink"})

    async def test_the_embedded_sink_counts_what_has_arrived(self) -> None:
        status = f"unix:{self.mktemp()}"
        server = self.serve(ModeName.PAIR, handler=HandlerName.PROXY, status=status)
        client = await self.connect(server, self.client(ModeName.PAIR))
        await client.made
        address = client.address()
        client.send(MEBIBYTE)
        client.close()
        await client.lost
        status_client = await self.connect_to(status, loopback.StatusClient())
        totals = {"open": 1}
        while totals["open"]:
            answer = await status_client.ask(
                ask="run", name="x", sent=len(MEBIBYTE), peers=[address]
            )
            totals = answer["run"]
        self.assertEqual((totals["received"], totals["arrived"]), (len(MEBIBYTE),) * 2)
        self.assertEqual(server.snapshot().sink_received, len(MEBIBYTE))
        line = "run x: sent 1,048,576, received 1,048,576, lost 0 bytes"
        self.assertEqual(await self.log.with_text("run x"), line)
        self.assertEqual(self.log.lines.count(line), 1)


class ClosingTests(loopback.LoopbackTestCase):
    async def joined(self, mode: ModeName, **changes: Any) -> tuple[loopback.Peer, loopback.Peer]:
        """A client and a backend of a proxy, connected to each other."""
        backend = loopback.Peer()
        where = await self.backend(lambda: backend)
        server = self.serve(mode, handler=HandlerName.PROXY, backend=where, **changes)
        client = await self.connect(server, self.client(mode))
        await client.made
        await backend.made
        return client, backend

    async def test_losing_the_client_resets_the_backend(self) -> None:
        for mode in ModeName:
            client, backend = await self.joined(mode)
            client.send(b"half")
            await backend.received(4)
            client.abort()
            self.assertIsInstance(await backend.lost, ConnectionLost)

    async def test_a_truncated_stream_is_forwarded_and_ends_with_a_reset(
        self,
    ) -> None:
        for mode in ModeName:
            if mode is ModeName.CLEAR:
                continue
            client, backend = await self.joined(mode, log_first=1, max_buffer=1 << 21)
            transport: Any = backend.transport
            transport.pauseProducing()
            client.send(SOME)
            # The end of the wire alone, without close_notify.
            loopback.Peer.close(client)
            await self.log.with_text("closed how=truncated")
            self.log.lines.clear()
            transport.resumeProducing()
            self.assertIsInstance(await backend.lost, ConnectionLost)
            self.assertEqual(await backend.received(len(SOME)), SOME)

    async def test_losing_the_backend_resets_the_client(self) -> None:
        for mode in ModeName:
            client, backend = await self.joined(mode)
            backend.send(b"half")
            await client.received(4)
            backend.abort()
            self.assertIsInstance(await client.lost, ConnectionLost)

    async def test_closing_the_backend_closes_the_client_in_order(self) -> None:
        for mode in ModeName:
            client, backend = await self.joined(mode)
            backend.send(MEBIBYTE)
            backend.close()
            self.assertEqual(await client.received(len(MEBIBYTE)), MEBIBYTE)
            self.assertIsInstance(await client.lost, ConnectionDone)


class ListeningTests(loopback.LoopbackTestCase):
    async def test_a_port_in_use_is_reported_in_one_line(self) -> None:
        (taken,) = self.serve(ModeName.CLEAR).listening()
        port = taken.rpartition(":")[2]
        where = f"tcp:{port}:interface=127.0.0.1"
        error = self.assertRaises(CannotStart, self.serve, ModeName.CLEAR, listen=[where])
        self.assertEqual(str(error), f"cannot listen on {where}: Address already in use")

    async def test_it_can_listen_on_a_unix_socket(self) -> None:
        path = self.mktemp()
        server = self.serve(ModeName.PAIR, listen=[f"unix:{path}"])
        self.assertEqual(server.listening(), [f"unix:{path}"])

    async def test_a_missing_directory_is_reported_in_one_line(self) -> None:
        where = "unix:nowhere/socket"
        error = self.assertRaises(CannotStart, self.serve, ModeName.CLEAR, listen=[where])
        self.assertEqual(str(error), f"cannot listen on {where}: No such file or directory")

    async def test_stopping_aborts_all_connections(self) -> None:
        server = self.serve(ModeName.STARTTLS)
        client = await self.connect(server, self.client(ModeName.STARTTLS))
        await client.made
        (where,) = server.listening()
        await server.stopService()
        self.assertEqual(server.snapshot().failed, {"aborted by us": 1})
        self.assertIsInstance(await client.lost, ConnectionLost)
        with self.assertRaises(ConnectionRefusedError):
            await self.connect_to(where, loopback.Peer())

    async def test_stopping_closes_connections_in_order_if_there_is_time(self) -> None:
        for mode in ModeName:
            for handler in (HandlerName.ECHO, HandlerName.PROXY):
                where = await self.backend(loopback.EchoPeer)
                backend = where if handler is HandlerName.PROXY else None
                server = self.serve(mode, handler=handler, backend=backend, drain=1000.0)
                client = await self.connect(server, self.client(mode))
                await client.made
                client.send(b"question")
                self.assertEqual(await client.received(8), b"question")
                await server.stopService()
                self.assertIsInstance(await client.lost, ConnectionDone)
                self.assertEqual((server.snapshot().clean, server.snapshot().failures), (1, 0))


class LoggingTests(loopback.LoopbackTestCase):
    CALLED: ClassVar = {name: mode.called for name, mode in MODES.items() if mode.encrypts}

    def events(self) -> list[str]:
        """What was logged of the first connection, without numbers, addresses and times."""
        return [re.sub(r"^#1 \S+ \+\S+s ", "", line) for line in self.log.lines if line[0] == "#"]

    async def test_the_events_of_a_connection_are_logged(self) -> None:
        for mode, called in self.CALLED.items():
            self.log.lines.clear()
            server = self.serve(mode, log_first=1, handler=HandlerName.PROXY)
            client = await self.connect(server, self.client(mode))
            await client.made
            client.close()
            await client.lost
            await self.log.with_text("drained")
            started = [line for line in self.log.lines if line.startswith("Starting factory")]
            self.assertEqual([line for line in started if "OneShotFactory" not in line], [])
            connected, how, completed, secure, backend, closed, drained = self.events()
            self.assertEqual(
                [connected, how, completed], ["connected", called, "handshakeCompleted"]
            )
            self.assertRegex(
                secure, r"^secure agreed=TLSv1\.3 TLS_\S+ (group=\S+ )?sni=localhost peer=.+"
            )
            self.assertEqual(
                [backend, closed, drained], ["backend connected", "closed how=clean", "drained"]
            )

    async def test_the_reason_for_a_failed_handshake_is_logged(self) -> None:
        for mode, called in self.CALLED.items():
            self.log.lines.clear()
            server = self.serve(mode, log_first=1)
            peer = await self.connect(server, loopback.Peer())
            peer.send(b"GET / HTTP/1.1\r\n\r\n")
            await peer.lost
            await self.log.with_text("failed")
            why = "plain bytes instead of TLS: http request"
            self.assertEqual(
                self.events(),
                ["connected", called, f"insecure why={why}", mock.ANY],
            )
            self.assertTrue(self.log.lines[-1].endswith(f" failed: {why}"), self.log.lines)
