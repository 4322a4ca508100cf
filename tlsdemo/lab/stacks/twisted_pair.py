"""Stock Twisted: a ``TLSMemoryBIOProtocol`` fed by hand, by the accepted connection's protocol."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from tlsdemo.lab.stacks.journal import Journal, error_text, size_text
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.lab.stacks.stock_twisted import Echo, serve_one


class Wire(Protocol):
    """The protocol of the socket, which feeds TLS; its events are prefixed with ``wire``."""

    transport: Any

    def __init__(self, journal: Journal, tls: TLSMemoryBIOProtocol) -> None:
        self._journal = journal
        self._tls: Any = tls

    def connectionMade(self) -> None:
        """Connect TLS to the transport."""
        self._journal.record("wire connectionMade", type(self.transport).__name__)
        self._journal.record("makeConnection called")
        self._tls.makeConnection(self.transport)
        self._journal.record("makeConnection returned")

    def dataReceived(self, data: bytes) -> None:
        """Pass the data to TLS."""
        self._journal.record("wire dataReceived", size_text(data))
        self._tls.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the reason to TLS, which passes it to the application."""
        self._journal.record("wire connectionLost", error_text(reason.value))
        self._tls.connectionLost(reason)


def factory(journal: Journal, options: CertificateOptions, config: StackConfig) -> Any:
    """Return the factory of the server."""

    def build() -> Wire:
        unused: Any = Factory()
        wrapping: Any = TLSMemoryBIOFactory(options, False, unused)
        return Wire(journal, TLSMemoryBIOProtocol(wrapping, Echo(journal, config.script)))

    return Factory.forProtocol(build)


if __name__ == "__main__":
    serve_one(factory)
