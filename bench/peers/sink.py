"""``python -m bench.peers.sink``: the plain backend of every proxy, which counts and drops.

Says ``{"port": …}`` first; then, for each line of its input, how many connections there have
been, how many of them are open, and how many bytes have come.  Ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from tlsdemo.net.limits import raise_descriptor_limit

BACKLOG = 512


class Count:
    """What has come so far."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(1 << 18))
        self.connections = 0
        self.open = 0
        self.received = 0

    def say(self) -> None:
        """Write it on standard output."""
        told = {"connections": self.connections, "open": self.open, "received": self.received}
        print(json.dumps(told), flush=True)


class Sink(asyncio.BufferedProtocol):
    """One connection; all of them read into the same buffer, as nobody looks at it."""

    def __init__(self, count: Count) -> None:
        self._count = count

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self._count.connections += 1
        self._count.open += 1

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to."""
        return self._count.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count what has been read."""
        self._count.received += nbytes

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it as closed, in order or not."""
        self._count.open -= 1


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    count = Count()
    server = await loop.create_server(lambda: Sink(count), "127.0.0.1", 0, backlog=BACKLOG)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    ended = asyncio.Event()

    def asked() -> None:
        lines = os.read(sys.stdin.fileno(), 1 << 12)
        if not lines:
            ended.set()
        for _ in range(lines.count(b"\n")):
            count.say()

    loop.add_reader(sys.stdin.fileno(), asked)
    await ended.wait()


if __name__ == "__main__":
    raise_descriptor_limit()
    asyncio.run(serve())
