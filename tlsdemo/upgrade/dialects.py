"""The catalogue of dialects: by name, both roles, and the document that says how."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tlsdemo.upgrade.auto import AutoServer
from tlsdemo.upgrade.dialogue import BEGIN, Dialogue, State
from tlsdemo.upgrade.ftp import FtpClient, FtpServer
from tlsdemo.upgrade.handover import Handover
from tlsdemo.upgrade.imap import ImapClient, ImapServer
from tlsdemo.upgrade.imap_handover import ImapHandover
from tlsdemo.upgrade.immediate import ImmediateClient, ImmediateServer
from tlsdemo.upgrade.ldap import LdapClient, LdapServer
from tlsdemo.upgrade.line import LineClient, LineServer
from tlsdemo.upgrade.mysql import MysqlClient, MysqlServer
from tlsdemo.upgrade.nntp import NntpClient, NntpServer
from tlsdemo.upgrade.pop3 import Pop3Client, Pop3Server
from tlsdemo.upgrade.pop3_handover import Pop3Handover
from tlsdemo.upgrade.postgres import PostgresClient, PostgresDirectClient, PostgresServer
from tlsdemo.upgrade.sieve import SieveClient, SieveServer
from tlsdemo.upgrade.smtp import LmtpClient, LmtpServer, SmtpClient, SmtpServer
from tlsdemo.upgrade.smtp_handover import SmtpHandover
from tlsdemo.upgrade.xmpp import XmppClient, XmppServer


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

    ``handover``: what sets the plain protocol right between a client that has been upgraded here
    and a backend that has not; ``None`` where a proxy cannot go on with this dialect.
    """

    name: DialectName
    server: type[Dialogue]
    client: type[Dialogue]
    source: str
    handover: type[Handover] | None = None

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
            DialectName.IMMEDIATE, ImmediateServer, ImmediateClient, "As in the original", Handover
        ),
        Dialect(DialectName.LINE, LineServer, LineClient, "A demonstration of our own", Handover),
        Dialect(DialectName.SMTP, SmtpServer, SmtpClient, "RFC 3207", SmtpHandover),
        Dialect(DialectName.LMTP, LmtpServer, LmtpClient, "RFC 3207 and RFC 2033", SmtpHandover),
        Dialect(DialectName.IMAP, ImapServer, ImapClient, "RFC 9051", ImapHandover),
        Dialect(DialectName.POP3, Pop3Server, Pop3Client, "RFC 2595", Pop3Handover),
        Dialect(
            DialectName.POSTGRES,
            PostgresServer,
            PostgresClient,
            "PostgreSQL's SSLRequest",
            Handover,
        ),
        Dialect(
            DialectName.POSTGRES_DIRECT,
            PostgresServer,
            PostgresDirectClient,
            "PostgreSQL's TLS without an SSLRequest, told by ALPN",
            Handover,
        ),
        Dialect(DialectName.LDAP, LdapServer, LdapClient, "RFC 4511"),
        Dialect(DialectName.XMPP, XmppServer, XmppClient, "RFC 6120"),
        Dialect(DialectName.NNTP, NntpServer, NntpClient, "RFC 4642"),
        Dialect(DialectName.SIEVE, SieveServer, SieveClient, "RFC 5804"),
        Dialect(DialectName.FTP, FtpServer, FtpClient, "RFC 4217"),
        Dialect(DialectName.MYSQL, MysqlServer, MysqlClient, "MySQL's SSLRequest"),
    )
}
