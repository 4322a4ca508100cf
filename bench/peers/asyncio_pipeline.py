"""``python -m bench.peers.asyncio_pipeline SIZE SECONDS CERT KEY CA CLIENT_CERT CLIENT_KEY``.

Node's own workload with asyncio: client, proxy and sink in one process; see ``node_pipeline.js``.
Prints ``{"bytes": …, "seconds": …, "cpu_seconds": …}``.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from typing import Any

from bench.peers.asyncio_proxy import Client

WARM_UP = 0.5


class Sink(asyncio.Protocol):
    """Counts what arrives."""

    received = 0

    def data_received(self, data: bytes) -> None:
        """Count it."""
        Sink.received += len(data)


class Writer(asyncio.Protocol):
    """Writes the same bytes until flow control says stop, and again when it says go on."""

    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self._paused = False
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._write()

    def _write(self) -> None:
        while not self._paused:
            self._transport.write(self._packet)

    def pause_writing(self) -> None:
        """Stop."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        if self._paused:
            self._paused = False
            self._write()


async def run(size: int, seconds: float, files: list[str]) -> None:
    """Run for so long, and print what arrived."""
    certificate, key, authority, client_certificate, client_key = files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    own = ssl.create_default_context(cafile=authority)
    own.load_cert_chain(client_certificate, client_key)
    own.check_hostname = False
    own.minimum_version = ssl.TLSVersion.TLSv1_3
    own.set_ecdh_curve("X25519")
    loop = asyncio.get_running_loop()
    sink = await loop.create_server(Sink, "127.0.0.1", 0)
    backend = sink.sockets[0].getsockname()[1]
    proxy = await loop.create_server(lambda: Client(context, backend), "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    await loop.create_connection(lambda: Writer(b"x" * size), "127.0.0.1", port, ssl=own)
    await asyncio.sleep(WARM_UP)
    before, began, used = Sink.received, loop.time(), time.process_time()
    await asyncio.sleep(seconds)
    found = {
        "bytes": Sink.received - before,
        "seconds": loop.time() - began,
        "cpu_seconds": time.process_time() - used,
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
