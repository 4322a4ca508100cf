"""``python -m bench.peers.asyncio_proxy PORT CERT KEY CA``: TLS of the standard library.

A plain server whose connections are secured by ``loop.start_tls`` once they exist, with flow
control in both directions.  PORT is the plain backend's.  Prints ``{"port": …, "versions": …}``.
"""

from __future__ import annotations

import asyncio
import json
import platform
import ssl
import sys

from tlsdemo.net.limits import raise_descriptor_limit

BACKLOG = 512


class Side(asyncio.Protocol):
    """One side of a proxied connection; the other side writes what it reads."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Write it to the other side."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """Pause the other side: this one's buffer is full."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Resume the other side."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side if this one was closed cleanly, or else abort it."""
        other, self.other, self.transport = self.other, None, None
        if other is not None and other.transport is not None:
            if exc is None:
                other.transport.close()
            else:
                other.transport.abort()


class Client(Side):
    """The client's side: accepted in plain, then secured, then connected to the backend."""

    def __init__(self, context: ssl.SSLContext, backend: int) -> None:
        super().__init__()
        self._context = context
        self._backend = backend
        self._securing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Secure it at once: a ClientHello that is read before would be lost."""
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self._securing = asyncio.get_running_loop().create_task(self._secure(transport))

    async def _secure(self, plain: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(plain, self, self._context, server_side=True)
            assert secured is not None
            secured.pause_reading()
            self.transport = secured
            _, backend = await loop.create_connection(Side, "127.0.0.1", self._backend)
        except (OSError, ssl.SSLError):
            (self.transport or plain).abort()
            return
        self.other, backend.other = backend, self
        secured.resume_reading()


async def serve(backend: int, certificate: str, key: str, authority: str) -> None:
    """Serve until the process is terminated."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.get_running_loop().create_server(
        lambda: Client(context, backend), "127.0.0.1", 0, backlog=BACKLOG
    )
    versions = {"Python": platform.python_version(), "OpenSSL": ssl.OPENSSL_VERSION.split()[1]}
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "versions": versions}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    raise_descriptor_limit()
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:5]))
