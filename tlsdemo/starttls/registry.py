"""The registry of dialects, by name.  A new protocol's module is added here, and only here."""

from __future__ import annotations

from collections.abc import Mapping

from tlsdemo.starttls import (
    ftp,
    imap,
    immediate,
    ldap,
    line,
    mysql,
    nats,
    nntp,
    pop3,
    postgres,
    sieve,
    smtp,
    xmpp,
)
from tlsdemo.starttls.dialect import Dialect

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        immediate.DIALECT,
        line.DIALECT,
        smtp.DIALECT,
        smtp.LMTP,
        imap.DIALECT,
        pop3.DIALECT,
        postgres.DIALECT,
        postgres.DIRECT,
        ldap.DIALECT,
        xmpp.DIALECT,
        nntp.DIALECT,
        sieve.DIALECT,
        ftp.DIALECT,
        mysql.DIALECT,
        nats.DIALECT,
    )
}


def find_dialect(name: str) -> Dialect:
    """Return the dialect of that name; raises ValueError, which lists the known names."""
    if name not in DIALECTS:
        raise ValueError(f"none of {', '.join(DIALECTS)}")
    return DIALECTS[name]
