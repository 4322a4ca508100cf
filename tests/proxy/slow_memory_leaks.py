"""No object survives a storm of connections that end in the middle of something."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from tests.proxy import loopback_server as loopback
from tests.proxy.memory_leaks import leaked_by, only_new_objects, turn
from tests.tls.memory_ends import foreign_client
from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.proxy.diagnostics import NO_DIAGNOSTICS, Diagnostics
from tlsdemo.proxy.service import Server
from tlsdemo.proxy.trace_file import TraceFile
from tlsdemo.tls import ModeName

CONNECTIONS = 400
AT_ONCE = 50
"""Connections; enough to overlap, and few enough for the default limit of descriptors."""

LONGEST = 0.03
"""Seconds after which a connection is aborted at the latest; a handshake takes about 0.002."""

Storm = Callable[[Server, ModeName], Awaitable[object]]


class StormTests(loopback.LoopbackTestCase):
    timeout = 120

    def setUp(self) -> None:
        super().setUp()
        excluding = only_new_objects()
        excluding.__enter__()
        self.addCleanup(excluding.__exit__, None, None, None)
        self.random = random.Random(1)
        self.hello = foreign_client().take()

    async def leaves_nothing(self, connect: Storm, traced: bool) -> None:
        """Check, in every mode, what stays after ``CONNECTIONS`` connections."""
        found = []
        for mode in ModeName:
            diagnostics = NO_DIAGNOSTICS
            if traced:
                file = AppendOnlyFile("trace", Path(self.mktemp()), reactor)
                diagnostics = Diagnostics(trace_file=TraceFile(file))
            server = self.serve(mode, remember=1, diagnostics=diagnostics)
            leaked = await leaked_by(partial(self.storm, server, mode, connect))
            if leaked:
                found.append(f"{mode.value}: {dict(leaked)}")
            self.assertEqual(server.snapshot().opened, 2 * CONNECTIONS)
            await server.stopService()
        self.assertEqual(found, [])

    async def storm(self, server: Server, mode: ModeName, connect: Storm) -> None:
        """Make all connections, and wait until the server has none left."""

        async def one_after_the_other() -> None:
            for _ in range(CONNECTIONS // AT_ONCE):
                await connect(server, mode)

        await gatherResults([Deferred.fromCoroutine(one_after_the_other()) for _ in range(AT_ONCE)])
        while server.snapshot().open:
            await turn()
        await turn()

    async def half_a_handshake(self, server: Server, mode: ModeName) -> None:
        """Send the beginning of a ClientHello, and end: in order, or with a reset."""
        client = await self.connect(server, loopback.Peer())
        client.send(self.hello[: self.random.randrange(1, len(self.hello))])
        if self.random.random() < 0.5:
            client.close()
            await client.lost
        await client.gone()

    async def aborted(self, server: Server, mode: ModeName) -> None:
        """Begin with the handshake, send once secure, and abort at some moment."""
        client = await self.connect(server, self.client(mode))
        client.made.addCallback(lambda _: client.send(b"something" * 1000))
        await deferLater(reactor, self.random.random() * LONGEST, client.abort)
        await client.gone()

    async def test_of_half_handshakes(self) -> None:
        await self.leaves_nothing(self.half_a_handshake, traced=False)

    async def test_of_half_handshakes_that_are_traced(self) -> None:
        await self.leaves_nothing(self.half_a_handshake, traced=True)

    async def test_of_connections_aborted_at_random(self) -> None:
        await self.leaves_nothing(self.aborted, traced=False)

    async def test_of_connections_aborted_at_random_that_are_traced(self) -> None:
        await self.leaves_nothing(self.aborted, traced=True)
