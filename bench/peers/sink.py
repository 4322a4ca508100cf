"""``python -m bench.peers.sink FILE``: the plain backend of every proxy, which counts bytes.

Prints ``{"port": …}``, and keeps its counters in FILE, which the load maps into its memory, so that
looking costs neither side anything.  What arrives is thrown away by the kernel; a connection whose
first byte is `ECHO` gets everything back.  Exits when its input ends.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import select
import socket
import sys
import time
from pathlib import Path

from bench.peers.sink_counters import ECHO, LAYOUT
from tlsdemo.net.limits import raise_descriptor_limit

BACKLOG = 4096

_READ = 1 << 18
_ECHOED = 1 << 12


class Sink:
    """All connections, and what has been received on them."""

    def __init__(self, counters: mmap.mmap) -> None:
        self._counters = counters
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._epoll.register(sys.stdin, select.EPOLLIN)
        self._peers: dict[int, socket.socket] = {}
        self._seen: dict[int, bool] = {}
        self._accepted = 0
        self._received = 0
        self._last = 0.0
        self._buffer = bytearray(_READ)

    def serve(self) -> None:
        """Serve until standard input ends."""
        listener, ours = self._listener.fileno(), sys.stdin.fileno()
        while True:
            for number, _ in self._epoll.poll():
                if number == listener:
                    self._accept()
                elif number == ours:
                    if not os.read(ours, 1 << 12):
                        return
                else:
                    self._read(number)
            LAYOUT.pack_into(
                self._counters, 0, self._accepted, len(self._peers), self._received, self._last
            )

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                peer, _ = self._listener.accept()
                peer.setblocking(False)
                self._accepted += 1
                self._peers[peer.fileno()] = peer
                self._epoll.register(peer, select.EPOLLIN)

    def _read(self, number: int) -> None:
        peer = self._peers[number]
        try:
            echoes = self._seen.get(number)
            if echoes is None:
                first = peer.recv(1, socket.MSG_PEEK)
                self._seen[number] = echoes = first == ECHO
            if echoes:
                data = peer.recv(_ECHOED)
                count = len(data)
                peer.send(data)
            else:
                # The kernel drops the bytes instead of copying them (tcp(7)).
                count = peer.recv_into(self._buffer, _READ, socket.MSG_TRUNC)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count:
            self._received += count
            self._last = time.monotonic()
            return
        del self._peers[number]
        self._seen.pop(number, None)
        peer.close()


def main(file: str) -> None:
    """Serve, with the counters in ``file``."""
    with Path(file).open("r+b") as opened, mmap.mmap(opened.fileno(), LAYOUT.size) as counters:
        sink = Sink(counters)
        print(json.dumps({"port": sink.port}), flush=True)
        sink.serve()


if __name__ == "__main__":
    raise_descriptor_limit()
    main(sys.argv[1])
