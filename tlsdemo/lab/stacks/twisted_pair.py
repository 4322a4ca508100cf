"""Stock Twisted: a ``TLSMemoryBIOProtocol`` fed by hand, by the accepted connection's protocol."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from tlsdemo.lab.stacks.journal import Journal, said, sized
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.lab.stacks.stock_twisted import Echo, serve_one


class Wire(Protocol):
    """The socket's protocol, which hands on what it receives; its events are those of the wire."""

    transport: Any

    def __init__(self, journal: Journal, tls: TLSMemoryBIOProtocol) -> None:
        self._journal = journal
        self._tls: Any = tls

    def connectionMade(self) -> None:
        """Join the two."""
        self._journal.record("wire connectionMade", type(self.transport).__name__)
        self._journal.record("makeConnection called")
        self._tls.makeConnection(self.transport)
        self._journal.record("makeConnection returned")

    def dataReceived(self, data: bytes) -> None:
        """Feed TLS."""
        self._journal.record("wire dataReceived", sized(data))
        self._tls.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell TLS, which tells the application."""
        self._journal.record("wire connectionLost", said(reason.value))
        self._tls.connectionLost(reason)


def factory(journal: Journal, options: CertificateOptions, config: StackConfig) -> Any:
    """Return what builds the accepted connection's protocol."""

    def build() -> Wire:
        nobody: Any = Factory()
        wrapping: Any = TLSMemoryBIOFactory(options, False, nobody)
        return Wire(journal, TLSMemoryBIOProtocol(wrapping, Echo(journal, config.scenario)))

    return Factory.forProtocol(build)


def main() -> None:
    """Serve one connection."""
    from twisted.internet import reactor

    serve_one(reactor, factory)


if __name__ == "__main__":
    main()
