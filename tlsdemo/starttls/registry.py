"""The catalogue of dialects: by name, both roles, and the document that says how."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.ftp import FtpClient, FtpServer
from tlsdemo.starttls.imap import ImapClient, ImapServer
from tlsdemo.starttls.imap_filter import ImapFilter
from tlsdemo.starttls.immediate import ImmediateClient, ImmediateServer
from tlsdemo.starttls.ldap import LdapClient, LdapServer
from tlsdemo.starttls.line import LineClient, LineServer
from tlsdemo.starttls.mysql import MysqlClient, MysqlServer
from tlsdemo.starttls.negotiation import BEGIN, Negotiation, State
from tlsdemo.starttls.nntp import NntpClient, NntpServer
from tlsdemo.starttls.pop3 import Pop3Client, Pop3Server
from tlsdemo.starttls.pop3_filter import Pop3Filter
from tlsdemo.starttls.postgres import PostgresClient, PostgresDirectClient, PostgresServer
from tlsdemo.starttls.sieve import SieveClient, SieveServer
from tlsdemo.starttls.smtp import LmtpClient, LmtpServer, SmtpClient, SmtpServer
from tlsdemo.starttls.smtp_filter import SmtpFilter
from tlsdemo.starttls.sniffing import AutoServer
from tlsdemo.starttls.xmpp import XmppClient, XmppServer


class DialectName(enum.Enum):
    """The names of the dialects."""

    IMMEDIATE = "immediate"
    LINE = "line"
    SMTP = "smtp"
    LMTP = "lmtp"
    IMAP = "imap"
    POP3 = "pop3"
    POSTGRES = "postgres"
    POSTGRES_DIRECT = "postgres-direct"
    LDAP = "ldap"
    XMPP = "xmpp"
    NNTP = "nntp"
    SIEVE = "sieve"
    FTP = "ftp"
    MYSQL = "mysql"


@dataclass(frozen=True)
class Dialect:
    """One way to agree on TLS: the class of each role, and where to read how.

    ``protocol_filter``: what sets the plain protocol right between a client that has been
    upgraded here and a backend that has not; ``None`` where a proxy cannot go on with this dialect.
    """

    name: DialectName
    server: type[Negotiation]
    client: type[Negotiation]
    source: str
    protocol_filter: type[ProtocolFilter] | None = None

    @property
    def alpn(self) -> tuple[str, ...]:
        """The protocols that the dialect has to agree on by ALPN, in one of its ways."""
        rules = (*self.server.table.values(), *self.client.table.values())
        return tuple(dict.fromkeys(rule.alpn.decode() for rule in rules if rule.alpn))

    @property
    def has_words(self) -> bool:
        """Whether anything is said at all before TLS."""
        begin = self.client.table.get((State.START, BEGIN))
        return begin is None or not begin.next.final

    @property
    def server_takes_words(self) -> bool:
        """Whether a server has to hear something in plain before TLS, or at least to look at it."""
        begin = self.server.table.get((State.START, BEGIN))
        return begin is None or not begin.next.final

    @property
    def server_greets(self) -> bool:
        """Whether the server speaks first."""
        return self.has_words and (State.START, BEGIN) in self.server.table

    def auto(self) -> Callable[..., AutoServer]:
        """Return how to make a server that also takes TLS from the first byte.

        It is called with the same arguments as ``server``; there is none without words.
        """
        return partial(AutoServer, self.server)


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            DialectName.IMMEDIATE,
            ImmediateServer,
            ImmediateClient,
            "As in the original",
            ProtocolFilter,
        ),
        Dialect(
            DialectName.LINE, LineServer, LineClient, "A demonstration of our own", ProtocolFilter
        ),
        Dialect(DialectName.SMTP, SmtpServer, SmtpClient, "RFC 3207", SmtpFilter),
        Dialect(DialectName.LMTP, LmtpServer, LmtpClient, "RFC 3207 and RFC 2033", SmtpFilter),
        Dialect(DialectName.IMAP, ImapServer, ImapClient, "RFC 9051", ImapFilter),
        Dialect(DialectName.POP3, Pop3Server, Pop3Client, "RFC 2595", Pop3Filter),
        Dialect(
            DialectName.POSTGRES,
            PostgresServer,
            PostgresClient,
            "PostgreSQL's SSLRequest",
            ProtocolFilter,
        ),
        Dialect(
            DialectName.POSTGRES_DIRECT,
            PostgresServer,
            PostgresDirectClient,
            "PostgreSQL's TLS without an SSLRequest, told by ALPN",
            ProtocolFilter,
        ),
        Dialect(DialectName.LDAP, LdapServer, LdapClient, "RFC 4511"),
        Dialect(DialectName.XMPP, XmppServer, XmppClient, "RFC 6120"),
        Dialect(DialectName.NNTP, NntpServer, NntpClient, "RFC 4642"),
        Dialect(DialectName.SIEVE, SieveServer, SieveClient, "RFC 5804"),
        Dialect(DialectName.FTP, FtpServer, FtpClient, "RFC 4217"),
        Dialect(DialectName.MYSQL, MysqlServer, MysqlClient, "MySQL's SSLRequest"),
    )
}
