"""A proxy that ends TLS: clients speak TLS to it, and a plain server gets the cleartext.

Run it:  python tls_terminating_proxy.py server.pem server.key 8443 127.0.0.1 8080
Try it:  openssl s_client -connect 127.0.0.1:8443
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react
from twisted.protocols.portforward import ProxyFactory

from tlsdemo.tls import (
    MODES,
    ClientAuth,
    ConnectionSettings,
    Credentials,
    ModeName,
    ServerTLS,
    Timeouts,
    UpgradeServerEndpoint,
)


async def serve(reactor, certificate, key, port, host, backend_port):
    settings = ConnectionSettings(
        MODES[ModeName.PAIR],
        ServerTLS.build(Credentials(certificate, key), ClientAuth.NONE),
        timeouts=Timeouts(handshake=10, idle=300, closing=10),
    )
    endpoint = TCP4ServerEndpoint(reactor, int(port), interface="127.0.0.1")
    # Twisted's own proxy knows nothing of TLS, and does not need to.
    forwarding = ProxyFactory(host, int(backend_port))
    listening = await UpgradeServerEndpoint(endpoint, settings, reactor).listen(forwarding)
    print("listening on port", listening.getHost().port, flush=True)
    await Deferred()


react(lambda *given: Deferred.fromCoroutine(serve(*given)), sys.argv[1:])
