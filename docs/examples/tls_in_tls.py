"""TLS in TLS: a proxy's TLS outside, and the TLS of the server behind it inside.

Both ends are here, joined in memory. With sockets, the outer pair's encrypted side is the protocol
of the connection; the rest is the same.

Run it:  python tls_in_tls.py server.pem server.key ca.pem
"""

import sys

from twisted.internet.protocol import Protocol

from tlsdemo.testing import MemoryTransport, pump
from tlsdemo.tls import ClientAuth, ClientTLS, Credentials, SecurePair, ServerTLS


class Greeter(Protocol):
    """Sends a greeting."""

    def connectionMade(self):
        self.transport.write(b"hello through two layers")


class Printer(Protocol):
    """Prints what it receives."""

    def dataReceived(self, data):
        print("received:", data.decode())


def nested(tls, application, end):
    """Return the outer pair of one end; another one inside of it has the application."""
    inner = SecurePair(
        tls, application, on_secure=lambda info: print(f"{end}, inside: {info.version}")
    )
    # To the outer pair, the inner pair's encrypted side is an application as any other.
    return SecurePair(
        tls, inner.encrypted, on_secure=lambda info: print(f"{end}, outside: {info.version}")
    )


certificate, key, authority = sys.argv[1:4]
server_tls = ServerTLS.build(Credentials(certificate, key), ClientAuth.NONE)
client_tls = ClientTLS.build(Credentials(authority=authority), "localhost")

server = MemoryTransport(nested(server_tls, Printer(), "server").encrypted)
client = MemoryTransport(nested(client_tls, Greeter(), "client").encrypted)
server.connect()
client.connect()
pump(server, client)
