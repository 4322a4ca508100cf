"""Both ends of a connection over real sockets."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
)
from twisted.internet.interfaces import IProtocolFactory
from twisted.trial.unittest import TestCase


class SocketTestCase(TestCase):
    timeout = 20

    async def connect_tcp(self, server: IProtocolFactory, client: IProtocolFactory) -> None:
        """Have a connection over loopback."""
        endpoint: Any = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port: Any = await endpoint.listen(server)
        self.addCleanup(port.stopListening)
        await TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port).connect(client)

    async def connect_unix(self, server: IProtocolFactory, client: IProtocolFactory) -> None:
        """Have one over a UNIX socket."""
        path = self.mktemp()
        port: Any = await UNIXServerEndpoint(reactor, path).listen(server)
        self.addCleanup(port.stopListening)
        await UNIXClientEndpoint(reactor, path).connect(client)


def both(*deferreds: Deferred[Any]) -> Deferred[list[Any]]:
    return gatherResults(deferreds, consumeErrors=True)
