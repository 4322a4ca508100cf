"""``python -m bench.peers.asyncio_proxy LOOP PORT CERT KEY [CA]``: TLS of asyncio.

A plain server whose connections are secured by ``loop.start_tls`` once they exist, with flow
control in both directions.  LOOP: ``asyncio``, ``uvloop`` or ``aiofastnet``.  PORT is the plain
backend's; with a CA, clients must have a certificate.  Prints ``{"port": …, "versions": …}``, or
``{"unavailable": …}`` if a package is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import socket
import ssl
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

from tlsdemo.net.limits import raise_descriptor_limit

BACKLOG = 4096


class Side(asyncio.Protocol):
    """One side of a proxied connection; the other side writes what it reads."""

    def __init__(self) -> None:
        # Those of uvloop and aiofastnet do not derive from asyncio's classes.
        self.transport: Any = None
        self.other: Side | None = None
        self.early: list[bytes] = []

    def join(self, other: Side) -> None:
        """Pass on to ``other`` from now on, and what has come with the handshake."""
        self.other, other.other = other, self
        if self.early:
            other.transport.write(b"".join(self.early))
            self.early.clear()

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Write it to the other side."""
        if self.other is None:
            self.early.append(data)
        elif self.other.transport is not None:
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

    def connection_made(self, transport: Any) -> None:
        """Secure it at once: a ClientHello that is read before would be lost."""
        transport.pause_reading()
        self._securing = asyncio.get_running_loop().create_task(self._secure(transport))

    async def _secure(self, plain: Any) -> None:
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
        self.join(backend)
        secured.resume_reading()


class Secured(Side):
    """The client's side where the loop itself secures an accepted socket."""

    def __init__(self, backend: int) -> None:
        super().__init__()
        self._backend = backend
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        """Connect to the backend."""
        transport.pause_reading()
        self.transport = transport
        self._connecting = asyncio.get_running_loop().create_task(self._connect(transport))

    async def _connect(self, transport: Any) -> None:
        try:
            _, backend = await asyncio.get_running_loop().create_connection(
                Side, "127.0.0.1", self._backend
            )
        except OSError:
            transport.abort()
            return
        self.join(backend)
        transport.resume_reading()


async def accept_secured(context: ssl.SSLContext, listener: socket.socket, backend: int) -> None:
    """Accept connections, and let the loop secure each.

    uvloop reads a first time before ``start_tls`` can be called, and a ClientHello that arrives
    early is lost.
    """
    loop = asyncio.get_running_loop()
    securing: set[asyncio.Task[None]] = set()

    async def secure(accepted: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            await loop.connect_accepted_socket(lambda: Secured(backend), accepted, ssl=context)

    while True:
        accepted, _ = await loop.sock_accept(listener)
        task = loop.create_task(secure(accepted))
        securing.add(task)
        task.add_done_callback(securing.discard)


def new_loop(packages: list[str]) -> Any:
    """Return an event loop: of uvloop if that is named, patched by aiofastnet if that is."""
    make = asyncio.new_event_loop
    if "uvloop" in packages:
        make = import_module("uvloop").new_event_loop
    if "aiofastnet" in packages:
        make = import_module("aiofastnet").loop_factory(make)
    return make()


async def serve(
    packages: list[str], backend: int, certificate: str, key: str, authority: str = ""
) -> None:
    """Serve until the process is terminated."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if authority:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listener.setblocking(False)
    versions = {"Python": platform.python_version(), "OpenSSL": ssl.OPENSSL_VERSION.split()[1]}
    versions.update({name: version(name) for name in packages})
    port = listener.getsockname()[1]
    print(json.dumps({"port": port, "versions": versions}), flush=True)
    if packages == ["uvloop"]:
        await accept_secured(context, listener, backend)
    server = await asyncio.get_running_loop().create_server(
        lambda: Client(context, backend), sock=listener, backlog=BACKLOG
    )
    await server.serve_forever()


def main(name: str, backend: str, *files: str) -> None:
    """Serve with the event loop ``name``."""
    packages = [each for each in name.split("-") if each != "asyncio"]
    try:
        loop = new_loop(packages)
    except ImportError as error:
        print(json.dumps({"unavailable": f"there is no package {error.name}"}))
        return
    loop.run_until_complete(serve(packages, int(backend), *files))


if __name__ == "__main__":
    raise_descriptor_limit()
    main(*sys.argv[1:])
