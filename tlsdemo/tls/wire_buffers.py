"""The buffers between OpenSSL and the wire, which would keep their greatest size for ever.

Theory of operation.  pyOpenSSL connects OpenSSL to the wire by two BIOs in memory
(BIO_s_mem(3ssl)).  They grow to what they have held at once: some 5 KiB after a handshake, and
85 KiB after a full read of the socket; and nothing makes a BIO smaller.  So an idle connection gets
new ones.  This uses private names of pyOpenSSL; in a version that lacks one of them, the BIOs stay
as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL


def _direct() -> Callable[[Any], None] | None:
    """Return what :data:`release` is; ``None`` if this version of pyOpenSSL lacks a name."""
    try:
        ffi, lib = SSL._ffi, SSL._lib  # type: ignore[attr-defined]
        new, in_memory, waiting_in = lib.BIO_new, lib.BIO_s_mem, lib.BIO_get_mem_data
        set_both = lib.SSL_set_bio
        probe: Any = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        _ = probe._ssl, probe._into_ssl, probe._from_ssl
    except AttributeError:
        return None

    def release(connection: Any) -> None:
        ends = connection._into_ssl, connection._from_ssl
        # OpenSSL frees the one that is replaced, and keeps the one that is not (SSL_set_bio(3ssl)).
        fresh = [end if waiting_in(end, ffi.NULL) else new(in_memory()) for end in ends]
        if ffi.NULL not in fresh:
            set_both(connection._ssl, *fresh)
            connection._into_ssl, connection._from_ssl = fresh

    return release


def _keep(_connection: SSL.Connection) -> None:
    """Leave the BIOs as they are."""


def choose() -> Callable[[Any], None]:
    """Return what releases the buffers, if this version of pyOpenSSL has what that needs."""
    return _direct() or _keep


release = choose()
"""Frees the empty buffers of a connection, whose wire must not have ended."""
