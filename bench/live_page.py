"""What ``--web`` costs a server under load: alone, and with pages that are open.

``python -m bench.live_page [--rounds=N] [--conn=N]``: CPU milliseconds a megabyte of streaming
connections, of three servers in turns: without the pages, with them, and with three that are open.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import statistics
import sys
import threading
from collections.abc import Iterator

from bench.child import CannotMeasure
from bench.load.pins import Pins
from bench.load.stream import blast
from bench.peers.tlsdemo_server import tlsdemo_peer
from bench.runner import say
from bench.server import Server
from bench.workbench import Workbench, workbench
from tlsdemo.cli.options import fail
from tlsdemo.cli.standard_output import guarded

COMMAND = "python -m bench.live_page"

SIZE = 1024
MEGABYTES = 128
TIMES = 8
PAGES = 3
LIMIT = 300.0

WITHOUT, WITH, OPEN = "without --web", "with --web", f"with {PAGES} open pages"


@contextlib.contextmanager
def open_pages(port: int, count: int) -> Iterator[list[int]]:
    """Keep so many pages open; yields the bytes that each has received."""
    received = [0] * count
    pages = [socket.create_connection(("127.0.0.1", port), LIMIT) for _ in range(count)]

    def read(number: int) -> None:
        with contextlib.suppress(OSError):
            while data := pages[number].recv(1 << 16):
                received[number] += len(data)

    threads = [threading.Thread(target=read, args=(each,)) for each in range(count)]
    for page, thread in zip(pages, threads, strict=True):
        page.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        thread.start()
    try:
        yield received
    finally:
        for page in pages:
            page.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for page in pages:
            page.close()


def streamed(server: Server, connections: int) -> float:
    """Return the CPU milliseconds of a megabyte."""
    opened = server.open(connections)
    each = MEGABYTES * 1_000_000 // SIZE // connections
    used = 0.0
    try:
        server.prove(opened)
        for _ in range(TIMES):
            prepared = [(one, one.encrypt(SIZE, each)) for one in opened.connections]
            received, before = server.sink.received, server.cpu()
            blast(prepared, server.deadline)
            server.wait_for(received + each * SIZE * connections)
            used += server.cpu() - before
    finally:
        opened.close()
    return used * 1e3 / (TIMES * each * SIZE * connections / 1e6)


def measured(bench: Workbench, variant: str, connections: int) -> float:
    """Measure one server, new for this."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    web = [] if variant is WITHOUT else [f"--web=tcp:{port}:interface=127.0.0.1"]
    peer = tlsdemo_peer("pair", "", "pair", "coalesced", more=web)
    pages = PAGES if variant is OPEN else 0
    with bench.running(peer, connections, Pins()) as server, open_pages(port, pages) as received:
        cost = streamed(server, connections)
        if not all(received):
            raise CannotMeasure(f"the pages have received {received} bytes")
    return cost


def main() -> int:
    """Print a line for each variant, and return the exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many [5]")
    parser.add_argument("--conn", type=int, default=2000, help="connections [2000]")
    options = parser.parse_args()
    found: dict[str, list[float]] = {WITHOUT: [], WITH: [], OPEN: []}
    try:
        with workbench(LIMIT) as bench:
            for number in range(1, options.rounds + 1):
                for variant, costs in found.items():
                    costs.append(measured(bench, variant, options.conn))
                    say(f"{number}/{options.rounds} {variant}: {costs[-1]:.3f} ms a MB")
    except CannotMeasure as problem:
        fail(COMMAND, problem, status=1)
    for variant, costs in found.items():
        ratios = [one / other for one, other in zip(costs, found[WITHOUT], strict=True)]
        print(
            f"{variant:22} {statistics.median(costs):.3f} ms a MB; ratio "
            f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
