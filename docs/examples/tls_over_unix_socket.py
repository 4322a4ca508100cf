"""TLS over a UNIX socket, by nothing but endpoint strings: an echo server, and its client.

Run it:  python tls_over_unix_socket.py /tmp/echo.sock server.pem server.key ca.pem
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    clientFromString,
    connectProtocol,
    quoteStringArgument,
    serverFromString,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import react
from twisted.protocols.wire import Echo


class Greeter(Protocol):
    """Sends a greeting, and closes when all of it has come back."""

    greeting = b"hello through a UNIX socket"

    def __init__(self):
        self.received = b""
        self.over = Deferred()

    def connectionMade(self):
        self.transport.write(self.greeting)

    def dataReceived(self, data):
        self.received += data
        if len(self.received) >= len(self.greeting):
            self.transport.loseConnection()

    def connectionLost(self, reason):
        self.over.callback(self.received.decode())


async def both(reactor, *paths):
    path, certificate, key, authority = map(quoteStringArgument, paths)
    # "immediate": no words before TLS. Others are smtp, imap, postgres, ldap, …
    server = f"starttls:immediate:unix:{path}:certificate={certificate}:privateKey={key}"
    port = await serverFromString(reactor, server).listen(Factory.forProtocol(Echo))
    client = f"starttls:immediate:unix:{path}:serverName=localhost:trustRoots={authority}"
    greeter = await connectProtocol(clientFromString(reactor, client), Greeter())
    print(await greeter.over)
    await port.stopListening()


react(lambda *given: Deferred.fromCoroutine(both(*given)), sys.argv[1:])
