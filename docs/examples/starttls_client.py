"""The client of starttls_server.py: it secures the connection, then sends its arguments as lines.

Run it:  python starttls_client.py ca.pem localhost 2525 hello world
"""

import sys
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.task import react
from twisted.protocols.basic import LineReceiver

from tlsdemo.tls import ClientTLS, Credentials, Insecure, UpgradeMixin


class Client(UpgradeMixin, LineReceiver):
    """Waits for each answer before it goes on."""

    def __init__(self):
        self.answer = Deferred()

    def lineReceived(self, line):
        if line[3:4] != b"-":  # Not the last line of an answer, otherwise.
            answer, self.answer = self.answer, Deferred()
            answer.callback(line.decode("ascii", "replace"))

    def say(self, line):
        self.sendLine(line.encode())
        return self.answer

    def connectionLost(self, reason):
        self.answer.cancel()


async def converse(reactor, authority, name, port, *lines):
    tls = ClientTLS.build(Credentials(None, None, Path(authority)), name)
    client = await connectProtocol(HostnameEndpoint(reactor, name, int(port)), Client())
    await client.answer
    await client.say("EHLO client.example")
    if not (await client.say("STARTTLS")).startswith("220"):
        raise SystemExit("the server offers no TLS")
    try:
        info = await client.start_tls(tls)
    except Insecure as problem:
        raise SystemExit(f"not secure: {problem}") from None
    print("secure:", info.version)
    for line in lines:
        print(await client.say(line))
    client.transport.loseConnection()


react(lambda *given: Deferred.fromCoroutine(converse(*given)), sys.argv[1:])
