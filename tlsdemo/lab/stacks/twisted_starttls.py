"""Stock Twisted: ``startTLS`` in ``connectionMade`` of an accepted connection."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions

from tlsdemo.lab.stacks.journal import Journal
from tlsdemo.lab.stacks.stack_config import Scenario, StackConfig
from tlsdemo.lab.stacks.stock_twisted import Echo, serve_one


class StartTLS(Echo):
    """An application that asks for TLS by itself."""

    def __init__(self, journal: Journal, scenario: Scenario, options: CertificateOptions) -> None:
        super().__init__(journal, scenario)
        self._options = options

    def ask_for_tls(self) -> None:
        """Ask the transport."""
        self._journal.record("startTLS called")
        self.transport.startTLS(self._options)
        self.under_tls = True
        self._journal.record("startTLS returned")


def factory(journal: Journal, options: CertificateOptions, config: StackConfig) -> Any:
    """Return what builds the accepted connection's protocol."""
    return Factory.forProtocol(lambda: StartTLS(journal, config.scenario, options))


def main() -> None:
    """Serve one connection."""
    from twisted.internet import reactor

    serve_one(reactor, factory)


if __name__ == "__main__":
    main()
