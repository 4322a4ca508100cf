"""An echo server that loads new certificates at SIGHUP, and ends in order at SIGTERM.

Run it:  python reload_and_drain.py server.pem server.key 4433
Then:    kill -HUP its process id, or kill -TERM
"""

import signal
import sys
from datetime import datetime, timezone
from functools import partial

from twisted.internet import defer, endpoints, protocol, task
from twisted.protocols.wire import Echo

from tlsdemo import tls


class Tracked(Echo):
    def connectionMade(self):
        self.factory.open.add(self)

    def connectionLost(self, reason):
        self.factory.open.discard(self)


def load_again(server_tls):
    try:
        server_tls.reload(datetime.now(timezone.utc))
        print("reloaded", flush=True)
    except (tls.BadCredentials, tls.UnusableCredentials) as problem:
        print("still with the old certificate:", problem, flush=True)


async def drain(reactor, listening, factory):
    await listening.stopListening()
    for connection in list(factory.open):
        connection.transport.loseConnection()
    until = reactor.seconds() + 10  # for clients that do not close
    while factory.open and reactor.seconds() < until:
        await task.deferLater(reactor, 0.05)
    print("ended;", len(factory.open), "connections cut", flush=True)


async def serve(reactor, certificate, key, port):
    server_tls = tls.ServerTLS.build(tls.Credentials(certificate, key), tls.ClientAuth.NONE)
    timeouts = tls.Timeouts(handshake=30, idle=600, closing=10)  # seconds
    mode = tls.MODES[tls.ModeName.PAIR]
    settings = tls.ConnectionSettings(mode, server_tls, timeouts=timeouts)
    factory = protocol.Factory.forProtocol(Tracked)
    factory.open = set()
    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(load_again, server_tls))
    endpoint = endpoints.TCP4ServerEndpoint(reactor, int(port), interface="127.0.0.1")
    listening = await tls.UpgradeServerEndpoint(endpoint, settings, reactor).listen(factory)
    ending = partial(drain, reactor, listening, factory)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: defer.ensureDeferred(ending()))
    print("listening on port", listening.getHost().port, flush=True)
    await defer.Deferred()


task.react(lambda *given: defer.ensureDeferred(serve(*given)), sys.argv[1:])
