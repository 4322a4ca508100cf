"""What docs/server.md shows of a log is what a server logs."""

from __future__ import annotations

import re
import ssl
from unittest import skipUnless

from twisted.internet.error import ConnectionDone
from twisted.logger import capturedLogs, formatEvent

from tests.proxy.memory_server import ServerInMemory
from tests.support import certificates
from tests.test_docs import read
from tlsdemo.proxy.diagnostics import Diagnostics
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.testing import SSLPeer
from tlsdemo.tls import ClientAuth, ModeName, ServerTLS
from tlsdemo.tls.handshake_observation import CAN_OBSERVE_ONE_CONNECTION


def words(line: str) -> str:
    """A line of the log without what differs from run to run, and from one OpenSSL to the next."""
    return re.sub(r"^#1 \S+ \+[\d.]+s | group=\S+|(?<=cert #)[^,]+", "", line)


class LogSamples(ServerInMemory):
    """The samples are of a client that sends three packets and closes, in mode pair."""

    maxDiff = None

    def logged(self, detailed: bool) -> list[str]:
        with capturedLogs() as events:
            self.started(
                mode=ModeName.PAIR,
                tls=ServerTLS.build(certificates().server, ClientAuth.REQUIRED),
                handler=HandlerName.PROXY,
                backend="tcp:127.0.0.1:1",
                log_first=1,
                diagnostics=Diagnostics(log_events=detailed),
            )
            self.converse()
        lines = [str(formatEvent(event)) for event in events]
        return [words(line) for line in lines if line.startswith("#1 ")]

    def converse(self) -> None:
        own = certificates().client
        assert own.certificate is not None
        context = ssl.create_default_context(cafile=own.authority)
        context.load_cert_chain(own.certificate, own.key)
        client, wire = SSLPeer(context, server_name="127.0.0.1"), self.accepted(1)
        for _ in range(3):
            wire.deliver(client.take())
            client.deliver(wire.take())
        backend = self.backend_connected()
        client.write(*[b"a packet"] * 3)
        client.close()
        wire.deliver(client.take())
        backend.lose(ConnectionDone())
        self.reactor.advance(1)
        wire.lose(ConnectionDone())

    def shown(self) -> list[list[str]]:
        found = re.findall(r"^```\n(#1 .*?\n)```$", read("docs/server.md"), re.M | re.S)
        return [[words(line) for line in block.splitlines()] for block in found]

    def test_of_events_has_the_words_of_the_log(self) -> None:
        self.assertEqual(self.logged(detailed=False), self.shown()[0])

    @skipUnless(CAN_OBSERVE_ONE_CONNECTION, "this pyOpenSSL shows no alert and no state")
    def test_of_all_events_has_the_words_of_the_log(self) -> None:
        self.assertEqual(self.logged(detailed=True), self.shown()[1])
