"""The client of starttls_server.py: it secures the connection, then sends its arguments as lines.

Run it:  python starttls_client.py ca.pem localhost 2525 hello world
"""

import sys

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.task import react
from twisted.protocols.basic import LineReceiver

from tlsdemo.tls import ClientTLS, Credentials, Insecure, UpgradeMixin


class Client(UpgradeMixin, LineReceiver):
    """Waits for each answer, 30 seconds at most.  What was not asked for is no answer."""

    def __init__(self, reactor):
        self.clock = reactor
        self.answer, self.ended = Deferred(), Deferred()

    def lineReceived(self, line):
        if line[3:4] != b"-":  # Not the last line of an answer, otherwise.
            answer, self.answer = self.answer, Deferred()
            answer.callback(line.decode("ascii", "replace"))

    def connectionLost(self, reason):
        self.answer.addErrback(lambda _: None).errback(reason)
        self.ended.callback(None)

    async def say(self, line):
        self.sendLine(line.encode())
        return await self.heard()

    async def heard(self):
        answer = await self.answer.addTimeout(30, self.clock)
        if not answer.startswith("2"):
            raise SystemExit(f"refused: {answer}")
        return answer


async def converse(reactor, authority, name, port, *lines):
    tls = ClientTLS.build(Credentials(authority=authority), name)
    try:
        client = await connectProtocol(HostnameEndpoint(reactor, name, int(port)), Client(reactor))
        await client.heard()
        await client.say("EHLO client.example")
        await client.say("STARTTLS")
        print("secure:", (await client.start_tls(tls)).version)
        for line in lines:
            print(await client.say(line))
        client.transport.loseConnection()
        await client.ended
    except (Insecure, ConnectError, ConnectionClosed, DNSLookupError, TimeoutError) as problem:
        raise SystemExit(f"{type(problem).__name__}: {problem}") from None


react(lambda *given: Deferred.fromCoroutine(converse(*given)), sys.argv[1:])
