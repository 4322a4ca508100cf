"""asyncio streams: ``StreamWriter.start_tls`` on an accepted connection (Python 3.11)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from tlsdemo.lab.stacks.journal import Journal, size_text
from tlsdemo.lab.stacks.stack_config import Script, StackConfig
from tlsdemo.lab.stacks.stdlib_tls import facts_of, serve_one

CLOSE_TIMEOUT = 0.25
"""Seconds after which ``wait_closed`` is reported not to return."""

_READ = 1 << 16


class ConnectionHandler:
    """Handles a server's connection, and records each result that it awaits."""

    def __init__(self, journal: Journal, context: ssl.SSLContext, script: Script) -> None:
        self._journal = journal
        self._context = context
        self._script = script

    # StreamWriter.start_tls is unknown to mypy with a target older than Python 3.11.
    async def handle(self, reader: asyncio.StreamReader, writer: Any) -> None:
        """Start TLS and echo, until something raises or the client closes."""
        self._journal.facts = lambda: facts_of(writer)
        self._journal.record("client_connected_cb")
        self._journal.record("start_tls called")
        try:
            await writer.start_tls(self._context)
        except Exception as error:
            self._journal.record_error("start_tls raised", error)
        else:
            self._journal.record("start_tls returned")
            await self._run_script(reader, writer)
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), CLOSE_TIMEOUT)
        except asyncio.TimeoutError:
            # After a reset during the handshake it never returns (Python 3.11).
            self._journal.record("wait_closed does not return")
        except Exception as error:
            self._journal.record_error("wait_closed raised", error)
        else:
            self._journal.record("wait_closed returned")

    async def _run_script(self, reader: asyncio.StreamReader, writer: Any) -> None:
        if self._script is Script.SERVER_FIRST and not await self._write(writer, b"hello"):
            return
        while True:
            try:
                data = await reader.read(_READ)
            except Exception as error:
                self._journal.record_error("read raised", error)
                return
            self._journal.record("read returned", size_text(data) if data else "b''")
            if not data or not await self._write(writer, data):
                return
            if self._script is Script.SERVER_CLOSES:
                self._journal.record("close called")
                return

    async def _write(self, writer: Any, data: bytes) -> bool:
        self._journal.record("write called", size_text(data))
        writer.write(data)
        try:
            await writer.drain()
        except Exception as error:
            self._journal.record_error("drain raised", error)
            return False
        self._journal.record("drain returned")
        return True


async def serve(
    listening: socket.socket, journal: Journal, context: ssl.SSLContext, config: StackConfig
) -> None:
    """Serve one connection, and return when it has been handled."""
    handled = asyncio.Event()
    handler = ConnectionHandler(journal, context, config.script)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.close()
        try:
            await handler.handle(reader, writer)
        finally:
            handled.set()

    server = await asyncio.start_server(connected, sock=listening)
    await handled.wait()


if __name__ == "__main__":
    serve_one(serve)
