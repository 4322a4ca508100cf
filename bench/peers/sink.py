"""``python -m bench.peers.sink``: the plain backend of every proxy, which counts bytes.

Prints ``{"port": …}`` first, then for each line of its input its counters: the connections so far,
those that are open, and the bytes received.  Exits when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from tlsdemo.net.limits import raise_descriptor_limit

BACKLOG = 512


class Counters:
    """What has been received so far."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(1 << 18))
        self.connections = 0
        self.open = 0
        self.received = 0

    def print(self) -> None:
        """Print them as a line of JSON."""
        counters = {"connections": self.connections, "open": self.open, "received": self.received}
        print(json.dumps(counters), flush=True)


class Sink(asyncio.BufferedProtocol):
    """One connection; all of them read into the same buffer, which nobody looks at."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self._counters.connections += 1
        self._counters.open += 1

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to."""
        return self._counters.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count what has been read."""
        self._counters.received += nbytes

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it as closed."""
        self._counters.open -= 1


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    counters = Counters()
    server = await loop.create_server(lambda: Sink(counters), "127.0.0.1", 0, backlog=BACKLOG)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    ended = asyncio.Event()

    def read_requests() -> None:
        lines = os.read(sys.stdin.fileno(), 1 << 12)
        if not lines:
            ended.set()
        for _ in range(lines.count(b"\n")):
            counters.print()

    loop.add_reader(sys.stdin.fileno(), read_requests)
    await ended.wait()


if __name__ == "__main__":
    raise_descriptor_limit()
    asyncio.run(serve())
