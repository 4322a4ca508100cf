"""Stock Twisted: ``TLSMemoryBIOFactory``, TLS from the first byte, as an ``ssl:`` endpoint."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory

from tlsdemo.peers.config import PeerConfig
from tlsdemo.peers.journal import Journal
from tlsdemo.peers.stock import Echo, serve_one


def factory(journal: Journal, options: CertificateOptions, config: PeerConfig) -> Any:
    """Return what builds the accepted connection's protocol."""
    echo: Any = Factory.forProtocol(lambda: Echo(journal, config.way))
    return TLSMemoryBIOFactory(options, False, echo)


def main() -> None:
    """Serve one connection."""
    from twisted.internet import reactor

    serve_one(reactor, factory)


if __name__ == "__main__":
    main()
