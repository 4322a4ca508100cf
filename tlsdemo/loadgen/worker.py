"""A worker process, ``python -m tlsdemo.loadgen.worker``, controlled by a worker pool.

It reads and writes JSON lines.  Input: first a task, then the commands ``{"do": "open"}``,
``send``, ``finish`` and ``abort``.  Output: ``{"state": …, "counters": …}`` every `REPORT_EVERY`
seconds; the last report also has the ``peers``.  It exits when its input ends, so no worker
outlives its controller.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.internet.task import LoopingCall
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.schedule import Task
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ClientTLS
from tlsdemo.tls.policy import CIPHERS, Policy, TLSVersion

REPORT_EVERY = 0.25
"""Seconds between two reports."""


class Worker(LineOnlyReceiver):
    """Executes the commands from its input, and writes reports."""

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._pool: ConnectionPool | None = None
        self._looping = LoopingCall(self._report)
        self._looping.clock = reactor

    def lineReceived(self, line: bytes) -> None:
        """Execute a command; the first line is the task."""
        message = json.loads(line)
        if self._pool is None:
            task = Task(**message["task"])
            tls = ClientTLS.build(
                Credentials(
                    Path(task.certificate),
                    Path(task.key),
                    Path(task.authority),
                    task.passphrase.encode("utf-8", "surrogateescape") if task.passphrase else None,
                ),
                task.server_name,
                DIALECTS[task.dialect].alpn,
                policy=Policy(
                    TLSVersion(task.tls_min),
                    TLSVersion(task.tls_max),
                    task.ciphers or CIPHERS,
                    task.groups or None,
                ),
            )
            self._pool = ConnectionPool(task, tls, self._reactor)
            self._looping.start(REPORT_EVERY, now=True)
        else:
            {
                "open": self._pool.open,
                "send": self._pool.send,
                "finish": self._pool.finish,
                "abort": self._pool.abort,
            }[message["do"]]()

    def _report(self) -> None:
        pool = self._pool
        assert pool is not None
        report: dict[str, Any] = {"state": "connecting", "counters": pool.counters().as_json()}
        if pool.over:
            self._looping.stop()
            report.update(state="over", peers=pool.peers)
        elif pool.settled:
            report["state"] = "settled"
        elif not pool.begun:
            report["state"] = "ready"
        self.sendLine(json.dumps(report).encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Exit: the controller has ended, or is done with this worker."""
        if self._reactor.running:
            self._reactor.stop()


def main() -> None:
    """Run until standard input ends."""
    from twisted.internet import reactor

    # Ctrl-C reaches every process of a terminal, but it is for the controller to react to it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_descriptor_limit()
    StandardIO(Worker(reactor), reactor=reactor)
    reactor.run(installSignalHandlers=False)  # type: ignore[call-arg]


if __name__ == "__main__":
    main()
