"""Stock Twisted: ``startTLS`` in ``connectionMade`` of an accepted connection."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions

from tlsdemo.lab.stacks.journal import Journal
from tlsdemo.lab.stacks.stack_config import Script, StackConfig
from tlsdemo.lab.stacks.stock_twisted import Echo, serve_one


class StartTLS(Echo):
    """An application that calls ``startTLS`` itself."""

    def __init__(self, journal: Journal, script: Script, options: CertificateOptions) -> None:
        super().__init__(journal, script)
        self._options = options

    def start_tls(self) -> None:
        """Call ``startTLS`` on the transport."""
        self._journal.record("startTLS called")
        self.transport.startTLS(self._options)
        self.under_tls = True
        self._journal.record("startTLS returned")


def factory(journal: Journal, options: CertificateOptions, config: StackConfig) -> Any:
    """Return the factory of the server."""
    return Factory.forProtocol(lambda: StartTLS(journal, config.script, options))


if __name__ == "__main__":
    serve_one(factory)
