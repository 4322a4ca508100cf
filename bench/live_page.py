"""What ``--web`` costs a server that carries data: without, with it, and with pages that are open.

``python -m bench.live_page [--rounds=N] [--conn=N] [--file=FILE] [--chromium]``: CPU a megabyte of
one server, in which the pages are switched off and on in turns, as two servers differ by more than
the pages cost.  The figure is the mean of the ratios of all rounds with its 95 % interval; with
--file, of those that the file has already as well.

Such a ratio of times is known to a few per cent only.  What decides is the CPU time of one update
of the pages, measured in the loaded server itself: there are two a second at most, whatever the
load is, so this tells their part of a server that is busy all the time.  Fails if it is more than
`MOST`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from bench.child import CannotMeasure
from bench.load.opening import Opened
from bench.load.pins import Pins
from bench.load.stream import blast
from bench.peers.switched_feed import UPDATES
from bench.peers.tlsdemo_server import tlsdemo_peer
from bench.runner import say
from bench.server import Server
from bench.workbench import workbench
from tlsdemo.cli.options import fail
from tlsdemo.cli.standard_output import guarded
from tlsdemo.web.live_feed import INTERVAL, LARGEST_PART

COMMAND = "python -m bench.live_page"

MOST = 0.03
"""The part of a processor that pages may cost."""

SIZE = 1024
MEGABYTES = 64
SECONDS = 2.5
"""Seconds of streaming for one figure at least; there are two updates of the pages a second."""

PAGES = 3
LIMIT = 900.0
READ_WITHIN = 300.0

WITHOUT, WITH, OPEN = "without pages", "with --web", f"with {PAGES} open pages"
STATES = (WITHOUT, WITH, OPEN)
UPDATE = "CPU seconds of an update"


@contextlib.contextmanager
def open_pages(port: int, count: int) -> Iterator[list[int]]:
    """Keep so many pages open; yields the bytes that each has received."""
    received = [0] * count
    pages = [socket.create_connection(("127.0.0.1", port), READ_WITHIN) for _ in range(count)]

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


@contextlib.contextmanager
def open_in_chromium(port: int, count: int) -> Iterator[list[int]]:
    """Keep so many pages open in a browser; yields 1 for each that is live."""
    from tests.web.browser import start_browser

    driver = start_browser()
    live = []
    try:
        for number in range(count):
            if number:
                driver.switch_to.new_window("tab")
            driver.get(f"http://127.0.0.1:{port}/")
            deadline = time.monotonic() + READ_WITHIN
            script = "return document.querySelector('#status').textContent === 'live'"
            while not driver.execute_script(script) and time.monotonic() < deadline:
                time.sleep(0.1)
            live.append(int(driver.execute_script(script)))
        yield live
    finally:
        driver.quit()


def streamed(server: Server, opened: Opened) -> float:
    """Return the CPU milliseconds of a megabyte."""
    connections = opened.connections
    each = MEGABYTES * 1_000_000 // SIZE // len(connections)
    used = seconds = sent = 0.0
    while seconds < SECONDS:
        prepared = [(one, one.encrypt(SIZE, each)) for one in connections]
        received, before, began = server.sink.received, server.cpu(), time.monotonic()
        blast(prepared, server.deadline)
        server.wait_for(received + each * SIZE * len(connections))
        seconds += time.monotonic() - began
        used += server.cpu() - before
        sent += each * SIZE * len(connections) / 1e6
    return used * 1e3 / sent


def updates_so_far() -> tuple[int, float]:
    """Return how many updates of the pages there were, and their CPU seconds."""
    number, cpu = Path(os.environ[UPDATES]).read_text().split()
    return int(number), float(cpu)


def measured(
    server: Server, opened: Opened, state: str, port: int, browser: bool
) -> dict[str, float]:
    """Measure in one state of the pages."""
    os.kill(server.pid, signal.SIGUSR1 if state == WITHOUT else signal.SIGUSR2)
    pages = open_in_chromium if browser else open_pages
    with pages(port, PAGES if state == OPEN else 0) as received:
        updates, cpu = updates_so_far()
        found = {state: streamed(server, opened)}
        if not all(received):
            raise CannotMeasure(f"the pages have received {received} bytes")
        if state == OPEN:
            more, used = updates_so_far()
            found[UPDATE] = (used - cpu) / (more - updates)
    return found


def rounds(count: int, connections: int, browser: bool) -> Iterator[dict[str, float]]:
    """Yield the cost in each state, ``count`` times."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    web = [f"--web=tcp:{port}:interface=127.0.0.1"]
    program = ("-m", "bench.peers.switched_feed")
    peer = tlsdemo_peer("pair", "", "pair", "coalesced", more=web, program=program)
    with (
        tempfile.TemporaryDirectory() as home,
        workbench(LIMIT) as bench,
        mock.patch.dict(os.environ, {UPDATES: str(Path(home) / "updates")}),
        bench.running(peer, connections, Pins()) as server,
    ):
        opened = server.open(connections)
        server.prove(opened)
        streamed(server, opened)
        for number in range(count):
            turn = STATES[number % 3 :] + STATES[: number % 3]
            costs: dict[str, float] = {}
            for state in turn:
                costs |= measured(server, opened, state, port, browser)
            yield costs
        opened.close()


def interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """Return the geometric mean of ``ratios``, and the bounds of its 95 % interval."""
    logs = [math.log(each) for each in ratios]
    middle = statistics.fmean(logs)
    # Student's t for few rounds, near enough.
    wide = (1.96 + 2.4 / (len(logs) - 1)) * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(middle), math.exp(middle - wide), math.exp(middle + wide)


def main() -> int:
    """Print a line for each state, and return the exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="how many; 0: only --file [8]")
    parser.add_argument("--conn", type=int, default=2000, help="connections [2000]")
    parser.add_argument("--file", type=Path, help="where rounds are kept, and added")
    parser.add_argument("--chromium", action="store_true", help="three pages in a real browser")
    options = parser.parse_args()
    known: Path | None = options.file
    found: list[dict[str, Any]] = []
    if known is not None and known.exists():
        found = [json.loads(line) for line in known.read_text().splitlines()]
    try:
        if len(found) + options.rounds < 2:
            raise CannotMeasure("one round has no interval; ask for two or more")
        more = rounds(options.rounds, options.conn, options.chromium) if options.rounds else ()
        for each in more:
            found.append(each)
            say("; ".join(f"{state} {each[state]:.3f} ms a MB" for state in STATES))
            if known is not None:
                known.write_text("".join(f"{json.dumps(one)}\n" for one in found))
    except CannotMeasure as problem:
        fail(COMMAND, problem, status=1)
    for state in STATES:
        middle, low, high = interval([each[state] / each[WITHOUT] for each in found])
        print(
            f"{state:22} {statistics.median(each[state] for each in found):.3f} ms a MB; ratio "
            f"{middle:.3f} ({low:.3f} to {high:.3f}), {len(found)} rounds"
        )
    update = statistics.median(each[UPDATE] for each in found)
    every = max(INTERVAL, update / LARGEST_PART)
    part = update / every
    print(
        f"an update of {PAGES} pages takes {update * 1e3:.2f} ms of CPU; with one every "
        f"{every:.2g} s, that is {part:.1%} of a processor"
        + (f": FAILED, more than {MOST:.0%}" if part > MOST else "")
    )
    return 1 if part > MOST else 0


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
