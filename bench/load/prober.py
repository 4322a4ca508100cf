"""``python -m bench.load.prober PORT GROUP SECONDS CERT KEY``: how long a byte waits in a proxy.

Prints ``{}`` when it is ready, and begins at a line of its input.  A probe is a byte that goes
through the proxy to the sink and back, 100 a second on connections that stay open; a fresh
connection connects, does its handshake, and has a byte echoed, 10 a second.  Each is begun when it
is due, whether or not earlier ones have returned, and is timed from then: a proxy that stands still
for a second delays all that were due in it, and all are counted.  Prints
``{"probe": [seconds…], "fresh": [seconds…], "echoed": bytes, "late": bytes,
"seconds": …}``.
"""

from __future__ import annotations

import json
import select
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from OpenSSL import SSL

from bench.load.connection import Connection, Refused
from bench.load.pins import Pins
from bench.peers.sink_counters import ECHO
from tlsdemo.net.limits import raise_descriptor_limit

_PROBES = 4
_PROBE_EVERY = 0.01
_FRESH_EVERY = 0.1
_LATE_WITHIN = 20.0
"""Seconds that the last ones may take; those that never return count as that long."""


@dataclass
class _Probe:
    """A connection, and when the bytes on their way were due."""

    connection: Connection
    fresh: bool
    due: deque[float] = field(default_factory=deque)
    connecting: bool = True


class Prober:
    """All connections of the prober."""

    def __init__(self, context: SSL.Context, port: int) -> None:
        self._context = context
        self._port = port
        self._epoll = select.epoll()
        self._probes: dict[int, _Probe] = {}
        self._open: list[_Probe] = []
        self.times: dict[str, list[float]] = {"probe": [], "fresh": []}
        self.echoed = 0
        self.late = 0

    def begin(self) -> None:
        """Open the connections that stay."""
        now = time.monotonic()
        self._open = [self._connect(now, fresh=False) for _ in range(_PROBES)]
        deadline = now + _LATE_WITHIN
        while any(each.due for each in self._open):
            if time.monotonic() > deadline:
                raise SystemExit("the prober's connections were not secured")
            self._turn(0.1)
        self.times["probe"].clear()
        self.echoed = 0

    def run(self, seconds: float) -> float:
        """Probe for so long, then wait for what is late; return how long the first part took."""
        began = time.monotonic()
        end = began + seconds
        probes = fresh = 0
        while (now := time.monotonic()) < end:
            while (due := began + probes * _PROBE_EVERY) <= now:
                self._send(self._open[probes % _PROBES], due)
                probes += 1
            while (due := began + fresh * _FRESH_EVERY) <= now:
                self._connect(due, fresh=True)
                fresh += 1
            self._turn(max(0.0, began + probes * _PROBE_EVERY - time.monotonic()))
        took = time.monotonic() - began
        while self._waiting() and time.monotonic() < end + _LATE_WITHIN:
            self._turn(0.1)
        for each in self._waiting():
            self.late += len(each.due)
            times = self.times["fresh" if each.fresh else "probe"]
            times += [end + _LATE_WITHIN - due for due in each.due]
        return took

    def _waiting(self) -> list[_Probe]:
        return [each for each in self._probes.values() if each.due]

    def _connect(self, due: float, fresh: bool) -> _Probe:
        connection = Connection(self._context, self._port)
        probe = _Probe(connection, fresh, deque([due]))
        self._probes[connection.fileno()] = probe
        self._epoll.register(connection.fileno(), select.EPOLLOUT)
        return probe

    def _send(self, probe: _Probe, due: float) -> None:
        probe.due.append(due)
        probe.connection.send(ECHO)

    def _turn(self, timeout: float) -> None:
        for number, _ in self._epoll.poll(timeout):
            probe = self._probes[number]
            if probe.connecting:
                probe.connecting = False
                probe.connection.begin()
                self._epoll.modify(number, select.EPOLLIN)
                continue
            before = probe.connection.secured
            data = probe.connection.read()
            if probe.connection.secured and not before:
                probe.connection.send(ECHO)
            self._answered(probe, len(data), time.monotonic())
            if probe.fresh and not probe.due:
                self._epoll.unregister(number)
                del self._probes[number]
                probe.connection.close()

    def _answered(self, probe: _Probe, count: int, now: float) -> None:
        self.echoed += count
        times = self.times["fresh" if probe.fresh else "probe"]
        for _ in range(count):
            times.append(now - probe.due.popleft())


def main(port: str, group: str, seconds: str, certificate: str, key: str) -> None:
    """Probe, and print what was measured."""
    context = Pins(group).client_context(Path(certificate), Path(key))
    prober = Prober(context, int(port))
    try:
        prober.begin()
        print("{}", flush=True)
        sys.stdin.readline()
        took = prober.run(float(seconds))
    except Refused as problem:
        raise SystemExit(f"the prober's connection ended: {problem}") from None
    report = {**prober.times, "echoed": prober.echoed, "late": prober.late, "seconds": took}
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    raise_descriptor_limit()
    main(*sys.argv[1:])
