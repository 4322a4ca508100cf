"""Stock Twisted: ``TLSMemoryBIOFactory``, TLS from the first byte, as an ``ssl:`` endpoint."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory

from tlsdemo.lab.stacks.journal import Journal
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.lab.stacks.stock_twisted import Echo, serve_one


def factory(journal: Journal, options: CertificateOptions, config: StackConfig) -> Any:
    """Return the factory of the server."""
    echo: Any = Factory.forProtocol(lambda: Echo(journal, config.script))
    return TLSMemoryBIOFactory(options, False, echo)


if __name__ == "__main__":
    serve_one(factory)
