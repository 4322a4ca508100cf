"""What a server has to take that is ready for post-quantum key exchange: a table; no I/O.

A ClientHello with a share of X25519MLKEM768 does not fit into one segment.  Servers that read
once, and believe that they have it all, have worked for decades.  A HelloRetryRequest (RFC 8446,
section 4.1.4) comes when a client has no share of the group that its server wants, which becomes
frequent while groups change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tlsdemo.tls.groups import CAN_SET_GROUPS
from tlsdemo.tls.policy import BadPolicy, Policy

CUTS = (1, 100, 512, 1400)
"""Bytes in the first segment: a part of the record's header, of the first fields, of the
extensions, and what a network may carry at once."""

_UNUSUAL = ("MLKEM512", "brainpoolP256r1tls13", "P-521")
"""Groups that servers do not have, or do not prefer; the first that OpenSSL knows is used."""

_SEPARATORS = re.compile("[:/]")
_PREFIXES = "*?"


@dataclass(frozen=True)
class HelloCheck:
    """One connection, whose ClientHello is special.

    ``groups``: an OpenSSL list of groups, empty for OpenSSL's own.  ``cut``: bytes in its first
    segment, 0 for all.  ``share``: the only group of which it has a key share, so that the server
    has to send a HelloRetryRequest.  ``impossible``: why it cannot be made here.
    """

    name: str
    groups: str
    cut: int = 0
    share: str = ""
    impossible: str = ""


def hello_checks(groups: str) -> Iterator[HelloCheck]:
    """Return the checks; ``groups`` is what the client offers.

    The first shows whether the server does TLS at all.
    """
    classical = without_post_quantum(groups)
    if classical and classical != groups:
        yield HelloCheck("in one piece, without post-quantum groups", classical)
    yield HelloCheck("in one piece", groups)
    for cut in CUTS:
        yield HelloCheck(f"cut at {cut}", groups, cut)
    share, retrying = _retrying(groups)
    impossible = "" if share else "this version of pyOpenSSL cannot set groups"
    yield HelloCheck("HelloRetryRequest", retrying, 0, share, impossible)


def without_post_quantum(groups: str) -> str:
    """Return a list of groups without the post-quantum ones.

    >>> without_post_quantum("*X25519MLKEM768/*X25519:P-256/P-384")
    '*X25519:P-256/P-384'
    """
    tuples = (
        ":".join(each for each in part.split(":") if "MLKEM" not in each.upper())
        for part in groups.split("/")
    )
    return "/".join(filter(None, tuples))


def _retrying(groups: str) -> tuple[str, str]:
    """Return a group that is not in ``groups``, and a list with a key share of that group only."""
    names = [each.lstrip(_PREFIXES) for each in _SEPARATORS.split(groups)]
    unusual = (each for each in _UNUSUAL if each not in names)
    for share in unusual if CAN_SET_GROUPS else ():
        # OpenSSL before 3.5 sends a share of the first; later ones too, if no other has a star.
        retrying = ":".join(filter(None, (share, *names)))
        try:
            Policy(groups=retrying)
        except BadPolicy:
            continue
        return share, retrying
    return "", ""
