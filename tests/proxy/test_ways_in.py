"""A proxy with ``--dialect=auto:…``, for clients that negotiate and those that begin with TLS."""

from __future__ import annotations

from typing import Any

from tests.proxy.memory_server import ServerInMemory
from tests.support import MemoryTransport, StartTLSTransport, exchange
from tests.tls.memory_ends import client_tls, server_tls
from tests.tls.negotiating_end import SECURED, UPGRADING_MODES, NegotiatingEnd
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.immediate import ImmediateClient
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ModeName
from tlsdemo.tls.upgrade_protocol import SNIFFING_TIME

RELAYED = [
    dialect
    for dialect in DIALECTS.values()
    if dialect.negotiates and dialect.protocol_filter is not None
]
GREETINGS = {
    "smtp": (b"220 backend\r\n", b"220 backend\r\n"),
    "lmtp": (b"220-backend\r\n220 LMTP\r\n", b"220-backend\r\n220 LMTP\r\n"),
    "imap": (
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] backend\r\n",
        b"* OK [CAPABILITY IMAP4rev1] backend\r\n",
    ),
    "pop3": (b"+OK backend <1@apop>\r\n", b"+OK backend <1@apop>\r\n"),
    "nats": (
        b'INFO {"server_id":"backend","tls_available":true} \r\n',
        b'INFO {"server_id":"backend"} \r\n',
    ),
}
"""What a backend greets with, and what a client that began with TLS receives of it."""


class EveryWayIn(ServerInMemory):
    def secured(self, mode: ModeName, dialect: Dialect, negotiates: bool) -> NegotiatingEnd:
        """A client that is secure, through a proxy that has not connected to its backend yet."""
        self.setUp()
        self.started(
            mode=mode, dialect=dialect, auto=True, tls=server_tls(alpn=dialect.alpn),
            handler=HandlerName.PROXY, backend="tcp:192.0.2.9:25",
        )  # fmt: skip
        negotiation = dialect.client() if negotiates else ImmediateClient()
        client = NegotiatingEnd(
            mode, client_tls(alpn=dialect.alpn), negotiation, clock=self.reactor
        )
        client.begin()
        self.wire = self.accepted(5, make=self.connected)
        self.carry(client)
        self.reactor.advance(SNIFFING_TIME)
        self.carry(client)
        self.assertEqual(client.log, SECURED, dialect.name)
        client.log.clear()
        return client

    def carry(self, client: NegotiatingEnd) -> None:
        """Carry what each end has to send to the other."""
        self.reactor.advance(0)
        exchange(client.transport, self.wire)

    def connected(self, protocol: Any) -> MemoryTransport:
        transport = StartTLSTransport(is_client=False)
        transport.protocol = protocol
        return transport

    def test_is_known_for_every_dialect_in_which_the_server_greets(self) -> None:
        greeting = {dialect.name for dialect in RELAYED if dialect.server_speaks_first}
        self.assertEqual(set(GREETINGS), greeting)

    def test_leads_to_a_backend_that_greets_every_client_once(self) -> None:
        for mode in UPGRADING_MODES:
            for dialect in RELAYED:
                for negotiates in (True, False):
                    self.check(mode, dialect, negotiates)

    def check(self, mode: ModeName, dialect: Dialect, negotiates: bool) -> None:
        case = (mode, dialect.name, negotiates)
        client = self.secured(mode, dialect, negotiates)
        far = self.backend_connected()
        greeting, expected = GREETINGS.get(dialect.name, (b"", b""))
        far.deliver(greeting)
        self.carry(client)
        self.assertEqual(client.log, [expected] if expected and not negotiates else [], case)
        client.log.clear()
        client.stream.write(b"question\r\n")
        self.carry(client)
        self.assertEqual(far.take(), b"question\r\n", case)
        far.deliver(b"answer\r\n")
        self.carry(client)
        self.assertEqual(client.log, [b"answer\r\n"], case)
