"""asyncio's streams: ``StreamWriter.start_tls`` on an accepted connection (Python 3.11)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from tlsdemo.lab.stacks.journal import Journal, sized
from tlsdemo.lab.stacks.stack_config import Scenario, StackConfig
from tlsdemo.lab.stacks.stdlib_tls import facts_of, serve_one

CLOSED_WITHIN = 0.25
"""Seconds after which ``wait_closed`` is said not to return."""

_READ = 1 << 16


class Handling:
    """A server's handling of its connection, in the order of what it awaits."""

    def __init__(self, journal: Journal, context: ssl.SSLContext, scenario: Scenario) -> None:
        self._journal = journal
        self._context = context
        self._scenario = scenario

    # A StreamWriter without start_tls, before Python 3.11, is none that mypy knows.
    async def handle(self, reader: asyncio.StreamReader, writer: Any) -> None:
        """Secure and echo, until something raises or the client ends."""
        self._journal.facts = lambda: facts_of(writer)
        self._journal.record("client_connected_cb")
        self._journal.record("start_tls called")
        try:
            await writer.start_tls(self._context)
        except Exception as error:
            self._journal.failed("start_tls raised", error)
        else:
            self._journal.record("start_tls returned")
            await self._talk(reader, writer)
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), CLOSED_WITHIN)
        except asyncio.TimeoutError:
            # After a reset in mid-handshake nobody ever wakes it (Python 3.11).
            self._journal.record("wait_closed does not return")
        except Exception as error:
            self._journal.failed("wait_closed raised", error)
        else:
            self._journal.record("wait_closed returned")

    async def _talk(self, reader: asyncio.StreamReader, writer: Any) -> None:
        if self._scenario is Scenario.SERVER_FIRST and not await self._write(writer, b"hello"):
            return
        while True:
            try:
                data = await reader.read(_READ)
            except Exception as error:
                self._journal.failed("read raised", error)
                return
            self._journal.record("read returned", sized(data) if data else "b''")
            if not data or not await self._write(writer, data):
                return
            if self._scenario is Scenario.SERVER_CLOSES:
                self._journal.record("close called")
                return

    async def _write(self, writer: Any, data: bytes) -> bool:
        self._journal.record("write called", sized(data))
        writer.write(data)
        try:
            await writer.drain()
        except Exception as error:
            self._journal.failed("drain raised", error)
            return False
        self._journal.record("drain returned")
        return True


async def serve(
    listening: socket.socket, journal: Journal, context: ssl.SSLContext, config: StackConfig
) -> None:
    """Secure one accepted connection, and return when its handling has."""
    handled = asyncio.Event()
    handling = Handling(journal, context, config.scenario)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.close()
        try:
            await handling.handle(reader, writer)
        finally:
            handled.set()

    server = await asyncio.start_server(connected, sock=listening)
    await handled.wait()


if __name__ == "__main__":
    serve_one(serve)
