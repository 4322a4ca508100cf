"""A dialect: both roles, its protocol filter, and what can be derived from them.

Nothing is declared twice: who speaks first, how a client requests TLS and so on is derived from the
tables of the two roles, or from a conversation between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.names import DEFAULT_NAMES, Names
from tlsdemo.starttls.negotiation import CONNECTED, Command, Negotiation, State, Switch
from tlsdemo.starttls.sniffing import AutoServer
from tlsdemo.starttls.xclient import SmtpXclient

IDLE_TIMEOUT = 600.0
"""Seconds that a connection may be idle, if its protocol demands no more.

It is enough for SMTP, whose clients wait 10 minutes for the reply to a mail (RFC 5321, section
4.5.3.2.6), for POP3 (10 minutes: RFC 1939, section 3), FTP (5 minutes: RFC 1123, section 4.1.3.2)
and NNTP (3 minutes: RFC 3977, section 3.1).
"""

SESSION_TIMEOUT = 28_800.0
"""The same for databases, whose clients keep sessions for later: MySQL's default wait_timeout.

PostgreSQL has no limit by default.
"""


@dataclass(frozen=True)
class Conversation:
    """What each side sends before TLS when all goes well, one item for each turn."""

    client: tuple[bytes, ...]
    server: tuple[bytes, ...]


@dataclass(frozen=True)
class Dialect:
    """One protocol's way to agree on TLS, by the ``name`` that ``--dialect`` has for it.

    ``source``: the document that specifies it.  ``protocol_filter``: what reconciles a client that
    has been upgraded with a plain backend that has not; ``None`` if the proxy cannot relay this
    protocol to a plain backend.  ``idle_timeout``: seconds that a secured connection may be idle by
    default.  ``xclient``: how the proxy tells a mail server the address of its client; ``None`` if
    the protocol has no way.
    """

    name: str
    server: type[Negotiation]
    client: type[Negotiation]
    source: str
    protocol_filter: type[ProtocolFilter] | None = None
    idle_timeout: float = IDLE_TIMEOUT
    xclient: type[SmtpXclient] | None = None

    @property
    def alpn(self) -> tuple[str, ...]:
        """The ALPN protocols that a connection may have to negotiate."""
        rules = (*self.server.table.values(), *self.client.table.values())
        return tuple(dict.fromkeys(rule.alpn.decode() for rule in rules if rule.alpn))

    @property
    def max_line(self) -> int:
        """The default limit of a line that the server receives, in bytes."""
        return self.server.longest_line

    @property
    def negotiates(self) -> bool:
        """Whether anything is sent in plaintext before TLS."""
        return not _switches_at_once(self.client)

    @property
    def server_negotiates(self) -> bool:
        """Whether the server sends plaintext before TLS, or accepts it.

        The server of ``postgres-direct`` does, although its client does not: it is that of
        ``postgres``.
        """
        return not _switches_at_once(self.server)

    @property
    def server_speaks_first(self) -> bool:
        """Whether the server sends a greeting."""
        return self.negotiates and (State.START, CONNECTED) in self.server.table

    @property
    def client_hello_is_request(self) -> bool:
        """Whether the client requests TLS by its ClientHello alone, and sends no plaintext."""
        return not self.conversation.client

    @cached_property
    def conversation(self) -> Conversation:
        """What both roles send to each other before TLS."""
        client, server = self.client(), self.server()
        sent: dict[Negotiation, list[bytes]] = {client: [], server: []}
        pending = {client: _plaintext(client.start()), server: _plaintext(server.start())}
        while any(pending.values()):
            for sender, receiver in ((server, client), (client, server)):
                data, pending[sender] = pending[sender], b""
                if data:
                    sent[sender].append(data)
                    pending[receiver] += _plaintext(receiver.receive(data))
        return Conversation(tuple(sent[client]), tuple(sent[server]))

    def unavailable(self, names: Names = DEFAULT_NAMES) -> bytes:
        """Return what tells a client that it cannot be served at present; empty if nothing can."""
        return self.server.unavailable.replace(b"{own}", names.own.encode("ascii"))

    def auto(self) -> Callable[..., AutoServer]:
        """Return a factory of servers that accept TLS from the first byte as well.

        It takes the arguments of ``server``, and raises ValueError if the dialect has no plaintext
        that could be told from TLS.
        """
        return partial(AutoServer, self.server)


def _switches_at_once(negotiation: type[Negotiation]) -> bool:
    rule = negotiation.table.get((State.START, CONNECTED))
    return rule is not None and rule.next.final


def _plaintext(commands: list[Command]) -> bytes:
    return b"".join(each.data for each in commands if not isinstance(each, Switch))
