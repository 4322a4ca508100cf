"""A worker process, ``python -m tlsdemo.loadgen.worker``, controlled by a worker pool.

It reads and writes JSON lines.  Input: first the tasks, then the commands ``{"do": "open"}``,
``begin`` with a window for each task, ``rest``, ``finish`` and ``abort``.  Output: a report every
`REPORT_EVERY` seconds, and at once after ``begin`` and ``rest``::

    {"state": …, "window": …, "resting": …, "outstanding": …,
     "counters": …, "latencies": …, "cpu": …, "at": …}

The latencies are those since the last report, by window, the counters those since the beginning,
``cpu`` the CPU seconds of the process until ``at``.  The last report also has the ``peers``.  It
exits when its input ends, so no worker outlives its controller.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.internet.task import LoopingCall
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.loadgen.schedule import Task
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.net.reactor_lag import LagMeter
from tlsdemo.reporting.latencies import LAG
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ClientTLS
from tlsdemo.tls.policy import CIPHERS, Policy, TLSVersion

REPORT_EVERY = 0.25
"""Seconds between two reports."""

LAG_PERIOD = 0.01
"""Seconds between two calls that show how late the reactor is.

The percentiles of the lag are those of time: the 99th is exceeded for 1 % of it.
"""


class Worker(LineOnlyReceiver):
    """Executes the commands from its input, and writes reports.

    ``now`` is a clock that only goes forward, ``cpu`` returns the CPU seconds of this process.
    """

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def __init__(self, reactor: Any, now: Callable[[], float], cpu: Callable[[], float]) -> None:
        self._reactor = reactor
        self._now = now
        self._cpu = cpu
        self._pools: list[ConnectionPool] = []
        self._recorder = Recorder(now)
        self._lag = LagMeter(reactor, LAG_PERIOD, now)
        self._lag.report_to(lambda late: self._recorder.stall(LAG, late, LAG_PERIOD))
        self._window = 0
        self._resting = True
        self._ends_at = 0.0
        self._rest_later: IDelayedCall | None = None
        self._reported = ""
        self._looping = LoopingCall(self._report)
        self._looping.clock = reactor

    def lineReceived(self, line: bytes) -> None:
        """Execute a command; the first line has the tasks."""
        message = json.loads(line)
        if not self._pools:
            tasks = [Task(**each) for each in message["tasks"]]
            self._pools = [
                ConnectionPool(task, client_tls(task), self._reactor, self._recorder, self._settled)
                for task in tasks
            ]
            self._looping.start(REPORT_EVERY, now=True)
        elif message["do"] == "begin":
            self._begin([Window(**each) for each in message["windows"]])
        elif message["do"] == "rest":
            self._rest_in_time()
        else:
            self._rest_now()
            if message["do"] == "open":
                self._resting = False
                self._lag.start()
                self._report()
            self._each(message["do"])

    def _rest_in_time(self) -> None:
        """Begin no more work, once all has begun that is due in the window.

        The window of this worker may have begun later than the controller's: without this, the
        last work would be neither done nor missed.
        """
        if (wait := self._ends_at - self._now()) > 0:
            self._rest_later = self._reactor.callLater(wait, self._rest)
        else:
            self._rest()

    def _rest_now(self) -> None:
        if self._rest_later is not None and self._rest_later.active():
            self._rest_later.cancel()
            self._rest()

    def _rest(self) -> None:
        self._resting = True
        self._each("rest")
        self._report()

    def _begin(self, windows: list[Window]) -> None:
        self._rest_now()
        self._report()
        open_loop = (each.length for each in windows if each.rate and each.length < inf)
        self._ends_at = self._now() + max(open_loop, default=0.0)
        self._window = windows[0].number
        self._resting = False
        self._recorder.begin(self._window, windows[0].unmeasured)
        self._lag.stop()
        self._lag.start()
        for pool, window in zip(self._pools, windows, strict=True):
            pool.begin(window)
        self._report()

    def _settled(self) -> None:
        """Report at once what is waited for; the pools are about to be so."""
        if self._state() != self._reported:
            self._reactor.callLater(0, self._report)

    def _each(self, command: str) -> None:
        for pool in self._pools:
            {
                "open": pool.open,
                "rest": pool.rest,
                "finish": pool.finish,
                "abort": pool.abort,
            }[command]()

    def _state(self) -> str:
        pools = self._pools
        if all(pool.over for pool in pools):
            return "over"
        if all(pool.settled for pool in pools):
            return "settled"
        return "connecting" if any(pool.begun for pool in pools) else "ready"

    def _report(self) -> None:
        pools, state = self._pools, self._state()
        if self._reported == "over":
            return
        self._reported = state
        report: dict[str, Any] = {
            "state": state,
            "window": self._window,
            "resting": self._resting,
            "outstanding": sum(pool.outstanding for pool in pools),
            "counters": LoadCounters.total(pool.counters() for pool in pools).as_json(),
            "latencies": {
                number: latencies.as_json() for number, latencies in self._recorder.take().items()
            },
            "cpu": self._cpu(),
            "at": self._now(),
        }
        if state == "over":
            self._lag.stop()
            self._looping.stop()
            report["peers"] = [peer for pool in pools for peer in pool.peers]
        self.sendLine(json.dumps(report).encode())
        if self._window == 0 and state == "settled":
            # It waits for the others.
            self._resting = True
            self._lag.stop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Exit: the controller has ended, or is done with this worker."""
        if self._reactor.running:
            self._reactor.stop()


def client_tls(task: Task) -> ClientTLS:
    """Return the TLS settings of a task."""
    passphrase = task.passphrase.encode("utf-8", "surrogateescape") if task.passphrase else None
    return ClientTLS.build(
        Credentials(Path(task.certificate), Path(task.key), Path(task.authority), passphrase),
        task.server_name,
        DIALECTS[task.dialect].alpn,
        policy=Policy(
            TLSVersion(task.tls_min),
            TLSVersion(task.tls_max),
            task.ciphers or CIPHERS,
            task.groups or None,
        ),
    )


def main() -> None:
    """Run until standard input ends."""
    from twisted.internet import reactor

    # Ctrl-C reaches every process of a terminal, but it is for the controller to react to it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_descriptor_limit()
    StandardIO(Worker(reactor, time.perf_counter, time.process_time), reactor=reactor)
    reactor.run(installSignalHandlers=False)  # type: ignore[call-arg]


if __name__ == "__main__":
    main()
