"""The names by which the two sides of a negotiation call themselves and each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DOTS = (".", "\u3002", "\uff0e", "\uff61")
"""What separates the labels of a name (RFC 3490, section 3.1)."""

_OWN = re.compile(r"[A-Za-z0-9._-]{1,255}|\[[A-Za-z0-9.:-]{1,255}\]")


def without_last_dot(name: str) -> str:
    """Return ``name`` without the dot that ends an absolute name.

    It is not sent in SNI (RFC 6066, section 3), and no certificate contains it.

    >>> without_last_dot("example.org.")
    'example.org'
    """
    return name[:-1] if name.endswith(_DOTS) else name


def host_name(text: str) -> str:
    """Return ``text`` without a dot at its end, if it is a host name or an address in brackets.

    Such an address is an address literal, ``[192.0.2.1]`` (RFC 5321, section 4.1.3).  Raises
    ValueError if ``text`` is neither.
    """
    name = without_last_dot(text)
    if _OWN.fullmatch(name) is None or name.endswith("."):
        raise ValueError("not a host name or an address in brackets")
    return name


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
        object.__setattr__(self, "own", host_name(self.own))


DEFAULT_NAMES = Names()
