"""A worker process: ``python -m tlsdemo.load.worker``, started and told what to do by a crew.

JSON lines on standard input and output.  In: first a task, then ``{"do": "open"}``, ``send``,
``finish`` or ``abort``.  Out: ``{"state": …, "tally": …}`` from time to time, and once everything
is over also the ``peers``.  It ends when its input does, so no worker outlives its crew.
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

from tlsdemo.credentials import Credentials
from tlsdemo.limits import raise_descriptor_limit
from tlsdemo.load.plan import Task
from tlsdemo.load.swarm import Swarm
from tlsdemo.secure import ClientTLS
from tlsdemo.secure.policy import CIPHERS, Policy, TLSVersion
from tlsdemo.upgrade.dialects import DIALECTS, DialectName

REPORT_EVERY = 0.25


class Worker(LineOnlyReceiver):
    """Does what its input says, and reports."""

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._swarm: Swarm | None = None
        self._looping = LoopingCall(self._report)
        self._looping.clock = reactor

    def lineReceived(self, line: bytes) -> None:
        """Take a task, or an order."""
        message = json.loads(line)
        if self._swarm is None:
            task = Task(**message["task"])
            tls = ClientTLS.build(
                Credentials(Path(task.certificate), Path(task.key), Path(task.authority)),
                task.server_name,
                DIALECTS[DialectName(task.dialect)].alpn,
                policy=Policy(
                    TLSVersion(task.tls_min), TLSVersion(task.tls_max), task.ciphers or CIPHERS
                ),
            )
            self._swarm = Swarm(task, tls, self._reactor)
            self._looping.start(REPORT_EVERY, now=True)
        else:
            {
                "open": self._swarm.open,
                "send": self._swarm.send,
                "finish": self._swarm.finish,
                "abort": self._swarm.abort,
            }[message["do"]]()

    def _report(self) -> None:
        swarm = self._swarm
        assert swarm is not None
        report: dict[str, Any] = {"state": "connecting", "tally": swarm.tally().as_json()}
        if swarm.over:
            self._looping.stop()
            report.update(state="over", peers=swarm.peers)
        elif swarm.settled:
            report["state"] = "settled"
        elif not swarm.begun:
            report["state"] = "ready"
        self.sendLine(json.dumps(report).encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End: whoever gave the orders is gone."""
        if self._reactor.running:
            self._reactor.stop()


def main() -> None:
    """Run until the input ends."""
    from twisted.internet import reactor

    # Ctrl-C goes to every process of a terminal; the crew decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_descriptor_limit()
    StandardIO(Worker(reactor), reactor=reactor)
    reactor.run(installSignalHandlers=False)  # type: ignore[call-arg]


if __name__ == "__main__":
    main()
