"""asyncio's ``loop.start_tls`` on an accepted connection, and what its protocol is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from tlsdemo.lab.stacks.journal import Fact, Journal, sized
from tlsdemo.lab.stacks.stack_config import Scenario, StackConfig
from tlsdemo.lab.stacks.stdlib_tls import LINGER, facts_of, serve_one


class Securing(asyncio.Protocol):
    """A server's protocol, which asks for TLS as soon as it has a connection."""

    def __init__(self, journal: Journal, context: ssl.SSLContext, scenario: Scenario) -> None:
        self._journal = journal
        self._context = context
        self._scenario = scenario
        self._transport: Any = None
        self._secured: Any = None
        self._early = b""
        self._task: asyncio.Task[None] | None = None
        self.lost = asyncio.Event()
        self.raised = asyncio.Event()
        journal.facts = self._facts

    def _facts(self) -> dict[str, Fact]:
        return facts_of(self._secured)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio, as are all below."""
        self._journal.record("connection_made", type(transport).__name__)
        if self._transport is None:
            self._transport = transport
            self._task = asyncio.get_running_loop().create_task(self._secure())

    async def _secure(self) -> None:
        self._journal.record("start_tls called")
        loop = asyncio.get_running_loop()
        try:
            self._secured = await loop.start_tls(
                self._transport, self, self._context, server_side=True
            )
        except Exception as error:
            self._journal.failed("start_tls raised", error)
            self.raised.set()
            return
        self._journal.record("start_tls returned", type(self._secured).__name__)
        if self._scenario is Scenario.SERVER_FIRST:
            self._journal.record("write called", sized(b"hello"))
            self._secured.write(b"hello")
        if self._early:
            self._answer(self._early)

    def data_received(self, data: bytes) -> None:
        """Echo, or keep for later what comes before there is a transport to echo it on."""
        self._journal.record("data_received", sized(data))
        if self._secured is None:
            self._early += data
        else:
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        self._secured.write(data)
        if self._scenario is Scenario.SERVER_CLOSES:
            self._journal.record("close called")
            self._secured.close()

    def eof_received(self) -> None:
        """Let the transport close, as it does by default."""
        self._journal.record("eof_received")

    def pause_writing(self) -> None:
        """Note it."""
        self._journal.record("pause_writing")

    def resume_writing(self) -> None:
        """Note it."""
        self._journal.record("resume_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self._journal.failed("connection_lost", exc)
        self.lost.set()


async def serve(
    listening: socket.socket, journal: Journal, context: ssl.SSLContext, config: StackConfig
) -> None:
    """Secure one accepted connection, and return when it has ended."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[Securing] = loop.create_future()

    def accepted() -> Securing:
        protocol = Securing(journal, context, config.scenario)
        made.set_result(protocol)
        return protocol

    server = await loop.create_server(accepted, sock=listening)
    protocol = await made
    server.close()
    ends = [asyncio.ensure_future(each.wait()) for each in (protocol.lost, protocol.raised)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if not protocol.lost.is_set():
        # Where start_tls has raised, connection_lost may follow or not.
        await asyncio.wait(ends[:1], timeout=LINGER)
    for end in ends:
        end.cancel()


if __name__ == "__main__":
    serve_one(serve)
