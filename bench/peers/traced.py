"""A server in memory, whose own CPU is measured, and clients that are not: ``bench.tracing`` asks.

Run as a program, with a mode, what to trace (``none``, or each so-manieth connection) and how many
connections and records each.  For each line that it gets it serves once more, and answers with the
CPU seconds of the server's calls alone.  It may be run on an older tlsdemo, found by PYTHONPATH, so
it uses only what all of them have.
"""

from __future__ import annotations

import json
import ssl
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from time import thread_time
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.python.failure import Failure

from tlsdemo.certificates.demo_ca import demo_certificates
from tlsdemo.proxy.accepted_connection import Accounting
from tlsdemo.proxy.connection_factory import ConnectionFactory, Setting
from tlsdemo.proxy.connection_registry import ConnectionRegistry
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.sink_handler import Sink
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.tls import MODES, ModeName, ServerTLS

BURST = 64
"""Records that one read of the wire brings."""


class Wire:
    """The server's transport, which keeps what is written."""

    disconnecting = False

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep ``data``."""
        self.written.append(data)

    def loseConnection(self) -> None:
        """Note it."""
        self.disconnecting = True

    abortConnection = loseConnection

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Nothing: all is taken."""

    def unregisterProducer(self) -> None:
        """Nothing: all is taken."""

    pauseProducing = resumeProducing = unregisterProducer

    def getPeer(self) -> IPv4Address:
        """Return an address."""
        return IPv4Address("TCP", "192.0.2.1", 1)

    getHost = getPeer


class Client:
    """The standard library's client, and the server's protocol that it talks to."""

    def __init__(self, context: ssl.SSLContext, factory: Any, number: int) -> None:
        self.spent = 0.0
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._wire = Wire()
        began = thread_time()
        address = IPv4Address("TCP", "192.0.2.1", number)
        self._server = factory.buildProtocol(address)
        self._server.makeConnection(self._wire)
        self.spent += thread_time() - began

    def _tell(self) -> None:
        if data := self._outgoing.read():
            began = thread_time()
            self._server.dataReceived(data)
            self.spent += thread_time() - began
        for each in self._wire.written:
            self._incoming.write(each)
        self._wire.written.clear()

    def handshake(self) -> None:
        """Secure the connection."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._tell()
            else:
                self._tell()
                return

    def send(self, records: int) -> None:
        """Send so many records of 32 bytes."""
        for sent in range(0, records, BURST):
            for _ in range(min(BURST, records - sent)):
                self._tls.write(b"x" * 32)
            self._tell()

    def leave(self) -> None:
        """Close in order."""
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            self._tell()
        began = thread_time()
        self._server.connectionLost(Failure(ConnectionDone()))
        self.spent += thread_time() - began


def accounting(every: str, clock: Clock, home: Path) -> tuple[Accounting, list[Any]]:
    """Return the books, and what has to be done to contexts."""
    events = EventLog(Logger(), clock.seconds, first=0, every=0)
    if every == "none":
        return Accounting(Statistics(), ConnectionRegistry(), events), []
    from tlsdemo.net.append_only_file import AppendOnlyFile
    from tlsdemo.proxy.trace_file import TraceFile
    from tlsdemo.tls import watch_states

    file = AppendOnlyFile("trace", home / "trace", clock)
    return Accounting(Statistics(), ConnectionRegistry(), events, TraceFile(file, int(every))), [
        watch_states
    ]


def main(mode_name: str, every: str, connections: int, records: int) -> None:
    """Answer each line with what serving once more has cost."""
    with tempfile.TemporaryDirectory() as home:
        certificates = demo_certificates(Path(home), "ecdsa", datetime.now(timezone.utc))
        clock: Any = Clock()
        ours, prepare = accounting(every, clock, Path(home))
        options: dict[str, Any] = {"preparations": prepare} if prepare else {}
        tls = ServerTLS.build(certificates.server, **options)
        mode = MODES[ModeName(mode_name)]
        setting = Setting(mode, tls, mode.transport_options(None, None, 1 << 16), Sink)
        factory = mode.wrap(tls, ConnectionFactory(setting, ours, clock), clock)
        context = ssl.create_default_context(cafile=certificates.client.authority)
        assert certificates.client.certificate is not None
        context.load_cert_chain(certificates.client.certificate, certificates.client.key)
        number = 0
        for _ in sys.stdin:
            spent = {"handshakes": 0.0, "records": 0.0}
            for _ in range(connections):
                number += 1
                client = Client(context, factory, number % 60000)
                client.handshake()
                spent["handshakes"] += client.spent
                secured = client.spent
                client.send(records)
                spent["records"] += client.spent - secured
                client.leave()
                clock.advance(1.0)
            print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
