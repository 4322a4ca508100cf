"""A line server with STARTTLS: it says every line back in capitals.

Run it:  python starttls_server.py server.pem server.key 2525 [pair | starttls]
Try it:  openssl s_client -starttls smtp -connect 127.0.0.1:2525
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin

from tlsdemo.tls import ClientAuth, Credentials, ServerTLS, UpgradeMixin


class Server(UpgradeMixin, LineReceiver, TimeoutMixin):
    """Greets like SMTP, so that many clients can talk to it; ends after a minute of silence."""

    def __init__(self, tls, mode):
        self.tls, self.upgrade_mode = tls, mode

    def connectionMade(self):
        self.setTimeout(60)
        self.sendLine(b"220 server.example ESMTP")

    def lineReceived(self, line):
        self.resetTimeout()
        command = line.upper()
        if command.startswith(b"EHLO"):
            offer = b"" if self.connection_info else b"250-STARTTLS\r\n"
            self.sendLine(b"250-server.example\r\n" + offer + b"250 HELP")
        elif command == b"STARTTLS" and not self.connection_info:
            self.sendLine(b"220 ready to start TLS")
            self.start_tls(self.tls).addCallbacks(self.secure, self.not_secure)
        else:
            self.sendLine(b"250 " + command)

    def secure(self, info):
        # Whatever the client has said before was not protected: forget it here.
        print("secure:", info.version, flush=True)

    def not_secure(self, failure):
        print("not secure:", failure.value, flush=True)

    def connectionLost(self, reason):
        self.setTimeout(None)


async def serve(reactor, certificate, key, port, mode="pair"):
    tls = ServerTLS.build(Credentials(certificate, key), ClientAuth.NONE)
    endpoint = TCP4ServerEndpoint(reactor, int(port), interface="127.0.0.1")
    listening = await endpoint.listen(Factory.forProtocol(lambda: Server(tls, mode)))
    print("listening on port", listening.getHost().port, flush=True)
    await Deferred()


react(lambda *given: Deferred.fromCoroutine(serve(*given)), sys.argv[1:])
