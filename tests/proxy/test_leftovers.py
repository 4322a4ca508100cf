"""Nothing is left of a connection that has ended: its parts do not wait for the collector."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import product

from tests.leftovers import left_by, turn
from tests.proxy import loopback_server as loopback
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.tls import Delivery, ModeName
from tlsdemo.tls.timeouts import Timeouts

CloseReason = Callable[[loopback.Peer], Awaitable[object]]


class Leftovers(loopback.LoopbackTestCase):
    async def ends(self, end: CloseReason, is_secure: bool = True, **changes: object) -> None:
        """Have a connection ended by ``end`` in every mode, with every role and delivery."""
        found = []
        kinds = {(handler, Delivery.RECORD) for handler in HandlerName}
        kinds |= {(HandlerName.ECHO, delivery) for delivery in Delivery}
        for mode, (handler, delivery) in product(ModeName, kinds):
            server = self.serve(mode, delivery, handler=handler, remember=1, **changes)
            left = await left_by(partial(self.used, server, mode, end, is_secure))
            if left:
                found.append(f"{mode.value} {handler.value} {delivery.value}: {dict(left)}")
            await server.stopService()
        if found:
            self.fail("\n".join(found))

    async def used(self, server: Server, mode: ModeName, end: CloseReason, is_secure: bool) -> None:
        """Have a connection, which is over when this returns."""
        client = await self.connect(server, self.client(mode) if is_secure else loopback.Peer())
        await client.made
        if is_secure:
            client.send(b"something")
        await end(client)
        await client.gone()
        while server.snapshot().open:
            await turn()
        await turn()

    async def test_nothing_of_one_that_the_client_ends_in_order(self) -> None:
        async def close(client: loopback.Peer) -> None:
            client.close()
            await client.lost

        await self.ends(close)

    async def test_nothing_of_one_that_is_reset(self) -> None:
        async def abort(client: loopback.Peer) -> None:
            await turn()
            client.abort()

        await self.ends(abort)

    async def test_nothing_of_one_whose_handshake_fails(self) -> None:
        async def fail(client: loopback.Peer) -> None:
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            client.close()

        await self.ends(fail, is_secure=False)

    async def test_nothing_of_one_that_is_ended_for_taking_too_long(self) -> None:
        async def wait(client: loopback.Peer) -> None:
            await client.lost

        await self.ends(wait, timeouts=Timeouts(0, 0, 0.004, 0.01))

    async def test_nothing_of_one_whose_handshake_takes_too_long(self) -> None:
        async def wait(client: loopback.Peer) -> None:
            await client.lost

        await self.ends(wait, is_secure=False, timeouts=Timeouts(0, 0.001, 0.004, 0.01))
