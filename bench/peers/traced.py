"""A server in memory whose own CPU time is measured; a program that ``bench.tracing`` runs.

Arguments: a mode, what to trace (``none``, or every Nth connection), and the numbers of connections
and of records for each.  For each line of its input it serves all of them once, and prints the CPU
seconds of the calls to the server, without the clients'.

It may also run an older tlsdemo that PYTHONPATH leads to.  So the server is built in one function,
`factory`, which has a counterpart for older trees in ``baseline_factory.py``.
"""

from __future__ import annotations

import json
import ssl
import sys
import tempfile
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from time import thread_time
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

BURST = 64
"""Records that one read of the socket brings."""


class MemoryTransport:
    """The server's transport, which keeps what is written."""

    disconnecting = False

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep ``data``."""
        self.written.append(data)

    def loseConnection(self) -> None:
        """Do nothing but remember it."""
        self.disconnecting = True

    abortConnection = loseConnection

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Do nothing: there is always room."""

    def unregisterProducer(self) -> None:
        """Do nothing: there is always room."""

    pauseProducing = resumeProducing = unregisterProducer

    def getPeer(self) -> IPv4Address:
        """Return an address."""
        return IPv4Address("TCP", "192.0.2.1", 1)

    getHost = getPeer


class Client:
    """A client of the standard library, and the server's protocol for it.

    ``cpu``: CPU seconds of the calls to the server so far.
    """

    def __init__(self, context: ssl.SSLContext, factory: Any, number: int) -> None:
        self.cpu = 0.0
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        began = thread_time()
        protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", number))
        # What the server receives goes to the protocol that the transport has then.
        self._transport = MemoryTransport(protocol)
        protocol.makeConnection(self._transport)
        self.cpu += thread_time() - began

    def _exchange(self) -> None:
        if data := self._outgoing.read():
            began = thread_time()
            self._transport.protocol.dataReceived(data)
            self.cpu += thread_time() - began
        for each in self._transport.written:
            self._incoming.write(each)
        self._transport.written.clear()

    def handshake(self) -> None:
        """Secure the connection."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._exchange()
            else:
                self._exchange()
                return

    def send(self, records: int) -> None:
        """Send ``records`` TLS records of 32 bytes."""
        for sent in range(0, records, BURST):
            for _ in range(min(BURST, records - sent)):
                self._tls.write(b"x" * 32)
            self._exchange()

    def encrypt(self, records: int) -> bytes:
        """Return ``records`` TLS records of 32 bytes, which have to be delivered next."""
        for _ in range(records):
            self._tls.write(b"x" * 32)
        return self._outgoing.read()

    def deliver(self, data: bytes) -> None:
        """Have the server receive ``data``."""
        self._transport.protocol.dataReceived(data)

    def close(self) -> None:
        """Send close_notify, and close."""
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            self._exchange()
        began = thread_time()
        self._transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.cpu += thread_time() - began


def certificates(home: Path, now: datetime) -> Any:
    """Make demonstration certificates in ``home``."""
    from tlsdemo.certificates.demo_ca import demo_certificates

    return demo_certificates(home, "ecdsa", now)


def factory(
    mode_name: str, every: str, clock: Any, home: Path, credentials: Any, pages: bool = False
) -> Any:
    """Return the factory of the server's protocols, which traces every Nth connection or none.

    ``pages``: whether its connections are observed as they are for the pages of ``--web``.
    """
    from tlsdemo.net.append_only_file import AppendOnlyFile
    from tlsdemo.net.printable_logger import PrintableLogger
    from tlsdemo.proxy.accounting import Accounting
    from tlsdemo.proxy.connection_factory import ConnectionFactory
    from tlsdemo.proxy.connection_registry import ConnectionRegistry
    from tlsdemo.proxy.event_log import EventLog
    from tlsdemo.proxy.sink_handler import SinkHandler
    from tlsdemo.proxy.statistics import Statistics
    from tlsdemo.proxy.trace_file import TraceFile
    from tlsdemo.tls import MODES, ConnectionSettings, ModeName, ServerTLS
    from tlsdemo.tls.handshake_observation import observe_states

    events = EventLog(PrintableLogger(), clock.seconds, first=0, every=0)
    if pages:
        from tlsdemo.web.page_watches import PageWatches

        watched = PageWatches(MODES[ModeName(mode_name)])
        tls = ServerTLS.build(credentials, preparations=watched.preparations)
        accounting = Accounting(Statistics(), ConnectionRegistry(), events, watches=watched.watches)
    elif every == "none":
        tls = ServerTLS.build(credentials)
        accounting = Accounting(Statistics(), ConnectionRegistry(), events)
    else:
        tls = ServerTLS.build(credentials, preparations=[observe_states])
        trace = TraceFile(AppendOnlyFile("trace", home / "trace", clock), int(every))
        accounting = Accounting(Statistics(), ConnectionRegistry(), events, trace)
    mode = MODES[ModeName(mode_name)]
    settings = ConnectionSettings(mode, tls)

    accepting = ConnectionFactory(
        settings, lambda listener, _: SinkHandler(listener), accounting, clock
    )
    return mode.wrap(tls, accepting, clock)


if find_spec("tlsdemo.certificates") is None:
    from baseline_factory import certificates, factory  # type: ignore[import-not-found, no-redef]


def main(mode_name: str, every: str, connections: int, records: int) -> None:
    """Serve once for each line of input, and print what that cost."""
    with tempfile.TemporaryDirectory() as home:
        files = certificates(Path(home), datetime.now(timezone.utc))
        clock = Clock()
        server = factory(mode_name, every, clock, Path(home), files.server)
        context = ssl.create_default_context(cafile=files.client.authority)
        context.load_cert_chain(files.client.certificate, files.client.key)
        number = 0
        for _ in sys.stdin:
            cpu = {"handshakes": 0.0, "records": 0.0}
            for _ in range(connections):
                number += 1
                client = Client(context, server, number % 60000)
                client.handshake()
                cpu["handshakes"] += client.cpu
                secured = client.cpu
                client.send(records)
                cpu["records"] += client.cpu - secured
                client.close()
                clock.advance(1.0)
            print(json.dumps(cpu), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
