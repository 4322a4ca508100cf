"""What all measures share: the sink, the certificates, the processors; and it starts the peers."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from bench.affinity import ALL, Affinity
from bench.child import Child
from bench.load.pins import Pins
from bench.peers.setup import Peer, Setup
from bench.peers.sink_counters import CountersFile
from bench.server import Server
from tlsdemo.certificates.demo_ca import DemoCertificates, demo_certificates
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.net.runtime_folder import make_short

_SPARE = 800
"""Descriptors that a process needs besides those of its connections."""


class Workbench:
    """One run's surroundings; made by `workbench`."""

    def __init__(self, home: Path, affinity: Affinity, limit: float) -> None:
        self._home = home
        self._limit = limit
        self.affinity = affinity
        self.certificates: DemoCertificates = demo_certificates(
            home, "ecdsa", datetime.now(timezone.utc)
        )
        self.versions: dict[str, dict[str, str]] = {}

    @contextlib.contextmanager
    def running(
        self, peer: Peer, connections: int, pins: Pins, everywhere: bool = False
    ) -> Iterator[Server]:
        """Run a peer with a sink of its own, and check that it does what is pinned.

        ``everywhere``: it may use all processors.  Raises CannotMeasure or NotInstalled.
        """
        load = ALL if everywhere else self.affinity.load
        with tempfile.TemporaryDirectory(dir=self._home) as home:
            counters = CountersFile(Path(home) / "sink")
            sink = Child([sys.executable, "-m", "bench.peers.sink", str(counters.path)], load)
            try:
                setup = Setup(
                    sink.line()["port"],
                    connections,
                    self.certificates.server,
                    pins.client_certificate,
                    Path(home),
                    ALL if everywhere else self.affinity.peer,
                )
                running = peer.start(setup)
                try:
                    self.versions[peer.name] = running.versions
                    server = Server(
                        running,
                        self.certificates.client,
                        counters,
                        time.monotonic() + self._limit,
                    )
                    server.check(pins)
                    yield server
                finally:
                    running.child.stop()
            finally:
                sink.stop()
                counters.close()

    @staticmethod
    def most_connections() -> int:
        """Return how many connections a proxy can have here, with two descriptors each."""
        return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE) // 2


@contextlib.contextmanager
def workbench(limit: float) -> Iterator[Workbench]:
    """Make a workbench; ``limit``: the seconds that a peer may take for one session."""
    raise_descriptor_limit()
    before = os.sched_getaffinity(0)
    affinity = Affinity.of(before)
    if affinity.load != ALL:
        os.sched_setaffinity(0, {int(each) for each in affinity.load.split(",")})
    try:
        home = make_short("tlsdemo-bench-")
        try:
            yield Workbench(home, affinity, limit)
        finally:
            shutil.rmtree(home, ignore_errors=True)
    finally:
        os.sched_setaffinity(0, before)
