"""``python -m bench.peers.twisted_pipeline MODE SIZE SECONDS CERT KEY CA CLIENT_CERT CLIENT_KEY``.

Node's own workload with tlsdemo: client, proxy and sink in one process; see ``node_pipeline.js``.
Both ends secure in MODE, deliver coalesced, and send buffered.  Prints
``{"bytes": …, "seconds": …}``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as default_reactor
from twisted.internet.protocol import Factory, Protocol

from tlsdemo import tap
from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.loadgen.schedule import Task
from tlsdemo.tls import ClientTLS, Policy

reactor: Any = default_reactor

WARM_UP = 0.5
POLL = 0.02


class Sink(Protocol):
    """Counts what arrives."""

    received = 0

    def dataReceived(self, data: bytes) -> None:
        """Count it."""
        Sink.received += len(data)


def main(mode: str, size: str, seconds: str, *files: str) -> None:
    """Run for so long, and print what arrived."""
    certificate, key, authority, client_certificate, client_key = map(Path, files)
    sink = reactor.listenTCP(0, Factory.forProtocol(Sink), interface="127.0.0.1")
    # The server makes its port known by its status service only, so a port is chosen here.
    probe = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    port = probe.getHost().port
    options = tap.Options()
    options.parseOptions([
        f"--mode={mode}", "--delivery=coalesced", "--status=none", "--log-first=0",
        f"--listen=tcp:{port}:interface=127.0.0.1", f"--cert={certificate}", f"--key={key}",
        f"--ca={authority}", f"--backend=tcp:127.0.0.1:{sink.getHost().port}",
    ])  # fmt: skip
    service: Any = tap.makeService(options)
    task = Task(
        connections=1, connect=f"tcp:127.0.0.1:{port}", server_name="127.0.0.1", mode=mode,
        send="buffered", packet_size=int(size), packets=0, burst=64, rate=0.0, in_flight=1,
        timeout=10.0, certificate=str(client_certificate), key=str(client_key),
        authority=str(authority),
    )  # fmt: skip
    credentials = Credentials(client_certificate, client_key, authority)
    tls = ClientTLS.build(credentials, task.server_name, policy=Policy(groups="X25519"))
    pool = ConnectionPool(task, tls, reactor, Recorder(time.perf_counter))

    def begin(_: object = None) -> None:
        service.privilegedStartService()
        service.startService()
        pool.open()
        reactor.callLater(POLL, wait)

    def wait() -> None:
        if pool.counters().failed:
            raise SystemExit(str(pool.counters()))
        if not pool.settled:
            reactor.callLater(POLL, wait)
            return
        pool.begin(Window())
        reactor.callLater(WARM_UP, measure)

    def measure() -> None:
        reactor.callLater(float(seconds), over, Sink.received, reactor.seconds())

    def over(before: int, began: float) -> None:
        spent = reactor.seconds() - began
        print(json.dumps({"bytes": Sink.received - before, "seconds": spent}), flush=True)
        reactor.stop()

    probe.stopListening().addCallback(begin)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
