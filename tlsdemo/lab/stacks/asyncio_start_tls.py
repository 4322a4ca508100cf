"""asyncio: ``loop.start_tls`` on an accepted connection, and the callbacks of its protocol."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from tlsdemo.lab.stacks.journal import Fact, Journal, size_text
from tlsdemo.lab.stacks.stack_config import LINGER, Script, StackConfig
from tlsdemo.lab.stacks.stdlib_tls import facts_of, serve_one


class StartTLSProtocol(asyncio.Protocol):
    """A server's protocol that calls ``start_tls`` as soon as it has a connection."""

    def __init__(self, journal: Journal, context: ssl.SSLContext, script: Script) -> None:
        self._journal = journal
        self._context = context
        self._script = script
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
        """Start TLS on the plain transport; asyncio calls this again with the TLS transport."""
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
            self._journal.record_error("start_tls raised", error)
            self.raised.set()
            return
        self._journal.record("start_tls returned", type(self._secured).__name__)
        if self._script is Script.SERVER_FIRST:
            self._journal.record("write called", size_text(b"hello"))
            self._secured.write(b"hello")
        if self._early:
            self._answer(self._early)

    def data_received(self, data: bytes) -> None:
        """Echo; data that arrives before ``start_tls`` has returned is echoed afterwards."""
        self._journal.record("data_received", size_text(data))
        if self._secured is None:
            self._early += data
        else:
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        self._secured.write(data)
        if self._script is Script.SERVER_CLOSES:
            self._journal.record("close called")
            self._secured.close()

    def eof_received(self) -> None:
        """Record the callback; the transport then closes, which is the default."""
        self._journal.record("eof_received")

    def pause_writing(self) -> None:
        """Record the callback."""
        self._journal.record("pause_writing")

    def resume_writing(self) -> None:
        """Record the callback."""
        self._journal.record("resume_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the callback and its error."""
        self._journal.record_error("connection_lost", exc)
        self.lost.set()


async def serve(
    listening: socket.socket, journal: Journal, context: ssl.SSLContext, config: StackConfig
) -> None:
    """Serve one connection, and return when it has ended."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[StartTLSProtocol] = loop.create_future()

    def accepted() -> StartTLSProtocol:
        protocol = StartTLSProtocol(journal, context, config.script)
        made.set_result(protocol)
        return protocol

    server = await loop.create_server(accepted, sock=listening)
    protocol = await made
    server.close()
    ends = [asyncio.ensure_future(each.wait()) for each in (protocol.lost, protocol.raised)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if not protocol.lost.is_set():
        # If start_tls has raised, connection_lost may or may not follow.
        await asyncio.wait(ends[:1], timeout=LINGER)
    for end in ends:
        end.cancel()


if __name__ == "__main__":
    serve_one(serve)
