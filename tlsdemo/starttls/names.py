"""The names by which the two sides of a negotiation call themselves and each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OWN = re.compile(r"[A-Za-z0-9._-]{1,255}|\[[A-Za-z0-9.:-]{1,255}\]")


def host_name(text: str) -> str:
    """Return ``text``; raises ValueError unless it is a host name or an address in brackets.

    Such an address is an address literal, ``[192.0.2.1]`` (RFC 5321, section 4.1.3).
    """
    if _OWN.fullmatch(text) is None:
        raise ValueError("not a host name or an address in brackets")
    return text


@dataclass(frozen=True)
class Names:
    """Names that are sent in plaintext, before TLS; nobody verifies them.

    ``own``: a server's name in its greeting, and an SMTP client's in EHLO.  ``peer``: the domain
    that an XMPP client asks for.

    Raises ValueError if ``own`` is not a host name or an address in brackets.
    """

    own: str = "tlsdemo"
    peer: str = "localhost"

    def __post_init__(self) -> None:
        host_name(self.own)


DEFAULT_NAMES = Names()
