"""The selection of an application protocol by a server (RFC 7301)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from OpenSSL import SSL

from tlsdemo.tls.tls_connection import TLSConnection


def alpn_problem(required: str) -> str:
    """Return a text with the protocol that ALPN should have selected."""
    return f"ALPN {required!r} was not negotiated"


def encoded(protocols: Sequence[str]) -> list[bytes]:
    """Return the names of protocols as they are on the wire.

    Raises:
        TypeError: If they are one string, which would be taken for many names of a letter.
    """
    if isinstance(protocols, str):
        raise TypeError(f"alpn is {protocols!r}; give a list of names: [{protocols!r}]")
    return [name.encode() for name in protocols]


def set_selection(context: SSL.Context, protocols: Sequence[str]) -> None:
    """Have a server's connections select one of ``protocols``, or what their own dialect requires.

    A client that offers only others goes on without one, or, if one is required, gets the alert
    no_application_protocol.

    Args:
        context: The server's context.
        protocols: In order of preference.
    """
    preferred = encoded(protocols)

    def select(connection: SSL.Connection, offered: list[bytes]) -> bytes | object:
        if required := cast(TLSConnection, connection).required_alpn:
            if required in offered:
                return required
            # An exception is what makes pyOpenSSL send the alert (section 3.2).
            raise SSL.Error([("SSL routines", "", alpn_problem(required.decode()))])
        # Without a callback that returns this, Twisted 26 aborts the handshake of every client that
        # offers ALPN.
        common = (name for name in preferred if name in offered)
        return next(common, SSL.NO_OVERLAPPING_PROTOCOLS)

    context.set_alpn_select_callback(select)  # type: ignore[arg-type]
