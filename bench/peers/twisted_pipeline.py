"""``python -m bench.peers.twisted_pipeline WAY SIZE SECONDS CERT KEY CA CLIENT_CERT CLIENT_KEY``.

Node's own workload with tlsdemo: client, proxy and sink in one process; see ``node_pipeline.js``.
Both ends secure in the mode that WAY begins with (``pair``, ``starttls``), and deliver coalesced;
the client sends buffered.  It hands small writes over in lists, or with ``-each`` behind the mode,
one by one.  Prints ``{"bytes": …, "seconds": …, "cpu_seconds": …}``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as default_reactor
from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from tlsdemo import tap
from tlsdemo.certificates.files import Credentials
from tlsdemo.close_reasons import CloseReason
from tlsdemo.starttls.immediate import ImmediateClient
from tlsdemo.tls import (
    MODES,
    ClientTLS,
    ConnectionInfo,
    ConnectionSettings,
    Delivery,
    ModeName,
    Policy,
    Send,
    TransportOptions,
    UpgradeProtocol,
)

reactor: Any = default_reactor

WARM_UP = 0.5
RETRY = 0.05

LIST_SIZE = 1 << 16
"""Bytes of a list: it costs one call, and flow control lets it through."""


class Sink(Protocol):
    """Counts what arrives."""

    received = 0

    def dataReceived(self, data: bytes) -> None:
        """Count it."""
        Sink.received += len(data)


@implementer(IPushProducer)
class Writer(Protocol):
    """Writes the same bytes until flow control says stop, and again when it says go on."""

    transport: Any

    def __init__(self, packet: bytes, lists: bool) -> None:
        self._packet = packet
        self._list = [packet] * max(1, LIST_SIZE // len(packet)) if lists else None
        self._paused = False

    def connectionMade(self) -> None:
        """Begin."""
        self.transport.registerProducer(self, True)
        self._write()

    def _write(self) -> None:
        stream = self.transport
        write: Any = stream.write if self._list is None else stream.writeSequence
        what: Any = self._list or self._packet
        while not self._paused:
            write(what)

    def pauseProducing(self) -> None:
        """Stop."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._write()

    def stopProducing(self) -> None:
        """Stop for ever."""
        self._paused = True


class Listener:
    """Makes the writer, and ends the program if it cannot write."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def secure(self, _info: ConnectionInfo) -> IProtocol:
        """Return what writes."""
        return self._writer

    def plain(self) -> None:
        """Never called."""

    def insecure(self, close_reason: CloseReason) -> None:
        """Give up."""
        raise SystemExit(str(close_reason))

    def ended(self, _close_reason: CloseReason) -> None:
        """Do nothing: it ends with the program."""


def main(way: str, size: str, seconds: str, *files: str) -> None:
    """Run for so long, and print what arrived."""
    mode, _, each = way.partition("-")
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
    credentials = Credentials(client_certificate, client_key, authority)
    tls = ClientTLS.build(credentials, "127.0.0.1", policy=Policy(groups="X25519"))
    settings = ConnectionSettings(
        MODES[ModeName(mode)],
        tls,
        ImmediateClient,
        TransportOptions(Delivery.COALESCED, Send.BUFFERED),
    )
    listener = Listener(Writer(b"x" * int(size), not each))
    client = Factory.forProtocol(lambda: UpgradeProtocol(settings, listener, reactor))

    def begin(_: object = None) -> None:
        service.privilegedStartService()
        service.startService()
        connect()

    def connect() -> None:
        endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{port}")
        endpoint.connect(client).addCallbacks(
            lambda _: reactor.callLater(WARM_UP, measure),
            lambda _: reactor.callLater(RETRY, connect),
        )

    def measure() -> None:
        reactor.callLater(
            float(seconds), over, Sink.received, reactor.seconds(), time.process_time()
        )

    def over(before: int, began: float, used: float) -> None:
        found = {
            "bytes": Sink.received - before,
            "seconds": reactor.seconds() - began,
            "cpu_seconds": time.process_time() - used,
        }
        print(json.dumps(found), flush=True)
        reactor.stop()

    probe.stopListening().addCallback(begin)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
