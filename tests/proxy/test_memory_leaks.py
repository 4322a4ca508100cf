"""No object of a connection survives its end, not even until cycles are collected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import product
from pathlib import Path

from twisted.internet import reactor

from tests.proxy import loopback_server as loopback
from tests.proxy.memory_leaks import leaked_by, only_new_objects, turn
from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.proxy.diagnostics import Diagnostics
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.proxy.trace_file import TraceFile
from tlsdemo.tls import Delivery, ModeName
from tlsdemo.tls.timeouts import Timeouts

End = Callable[[loopback.Peer], Awaitable[object]]


class MemoryLeakTests(loopback.LoopbackTestCase):
    def setUp(self) -> None:
        super().setUp()
        excluding = only_new_objects()
        excluding.__enter__()
        self.addCleanup(excluding.__exit__, None, None, None)

    async def ends(self, end: End, is_secure: bool = True, **changes: object) -> None:
        """Check connections that ``end`` ends, in every mode, with every handler and delivery."""
        found = []
        kinds = {(handler, Delivery.RECORD) for handler in HandlerName}
        kinds |= {(HandlerName.ECHO, delivery) for delivery in Delivery}
        for mode, (handler, delivery) in product(ModeName, kinds):
            server = self.serve(mode, delivery, handler=handler, remember=1, **changes)
            leaked = await leaked_by(partial(self.used, server, mode, end, is_secure))
            if leaked:
                found.append(f"{mode.value} {handler.value} {delivery.value}: {dict(leaked)}")
            await server.stopService()
        if found:
            self.fail("\n".join(found))

    async def used(self, server: Server, mode: ModeName, end: End, is_secure: bool) -> None:
        """Connect, exchange something, and wait until the connection has ended."""
        client = await self.connect(server, self.client(mode) if is_secure else loopback.Peer())
        await client.made
        if is_secure:
            client.send(b"something")
        await end(client)
        await client.gone()
        while server.snapshot().open:
            await turn()
        await turn()

    async def test_there_is_none_after_the_client_has_closed_in_order(self) -> None:
        async def close(client: loopback.Peer) -> None:
            client.close()
            await client.lost

        await self.ends(close)

    async def test_there_is_none_after_it_was_traced_and_logged(self) -> None:
        async def close(client: loopback.Peer) -> None:
            client.close()
            await client.lost

        file = AppendOnlyFile("trace", Path(self.mktemp()), reactor)
        self.addCleanup(file.close)
        diagnostics = Diagnostics(log_events=True, trace_file=TraceFile(file))
        await self.ends(close, diagnostics=diagnostics, log_first=2)

    async def test_there_is_none_after_a_reset(self) -> None:
        async def abort(client: loopback.Peer) -> None:
            await turn()
            client.abort()

        await self.ends(abort)

    async def test_there_is_none_after_a_failed_handshake(self) -> None:
        async def fail(client: loopback.Peer) -> None:
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            client.close()

        await self.ends(fail, is_secure=False)

    async def test_there_is_none_after_an_idle_timeout(self) -> None:
        async def wait(client: loopback.Peer) -> None:
            await client.lost

        await self.ends(wait, timeouts=Timeouts(0, 0, 0.004, 0.01))

    async def test_there_is_none_after_a_handshake_timeout(self) -> None:
        async def wait(client: loopback.Peer) -> None:
            await client.lost

        await self.ends(wait, is_secure=False, timeouts=Timeouts(0, 0.001, 0.004, 0.01))
