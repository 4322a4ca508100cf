"""Encrypting what the application writes, with as little work a record as possible.

Theory of operation.  Twisted's TLS layer slices a write into records, and for each of them calls
pyOpenSSL's ``send``, reads the wire's bytes, and writes them to the transport, which joins them
again.  :func:`_direct` encrypts one record after the other out of the application's own bytes into
one buffer, which is sliced once for all of them.  It uses private names of pyOpenSSL; in a version
that lacks one of them, ``PUBLIC`` does the same with public methods.

OpenSSL's BIO in memory is emptied after each record: it never gives back what it has grown to.

The buffer is one for all connections: this must be used by one thread only, as all of Twisted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from tlsdemo.tls.openssl_io import MAX_RECORD

_SPARE = 1 << 12
"""More bytes than a record is longer than its cleartext, and than OpenSSL says before it."""

_ROOM = MAX_RECORD + _SPARE
_RECORDS = 4

Encrypt = Callable[[SSL.Connection, bytes, int, int], tuple[int, bytes]]
"""Encrypts something from one place to another, in records that are full but for the last.

Returns the place that it has come to, and the bytes for the wire.  That is not the second place if
OpenSSL cannot continue, which says why if it is asked to send the rest.
"""


def _encrypt_publicly(
    connection: SSL.Connection, data: bytes, start: int, end: int
) -> tuple[int, bytes]:
    wire = []
    while start < end:
        try:
            start += SSL.Connection.send(connection, data[start : min(start + MAX_RECORD, end)])
        except SSL.Error:
            break
        wire.append(SSL.Connection.bio_read(connection, _ROOM))
    return start, b"".join(wire)


def _direct() -> Encrypt | None:
    """Return a function that calls OpenSSL; ``None`` if this version of pyOpenSSL lacks a name."""
    try:
        ffi, lib = SSL._ffi, SSL._lib  # type: ignore[attr-defined]
        ssl_write, bio_read, from_buffer = lib.SSL_write, lib.BIO_read, ffi.from_buffer
        probe: Any = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        _ = probe._ssl, probe._from_ssl, probe._raise_ssl_error
    except AttributeError:
        return None
    buffer = ffi.new("char[]", _RECORDS * _ROOM)
    contents = ffi.buffer(buffer)
    first = buffer + 0
    last = buffer + (_RECORDS - 1) * _ROOM

    def encrypt(connection: Any, data: bytes, start: int, end: int) -> tuple[int, bytes]:
        ssl, bio = connection._ssl, connection._from_ssl
        source = from_buffer(data)
        to = first
        before = []
        while start < end:
            if to > last:
                before.append(contents[: to - first])
                to = first
            written = ssl_write(ssl, source + start, min(MAX_RECORD, end - start))
            if written <= 0:
                _forget_error(connection, written)
                break
            start += written
            to += bio_read(bio, to, _ROOM)
        wire: bytes = contents[: to - first]
        return start, b"".join([*before, wire]) if before else wire

    return encrypt


def _forget_error(connection: Any, result: int) -> None:
    """Take an error out of OpenSSL's queue, where another connection would find it."""
    with contextlib.suppress(SSL.Error):
        connection._raise_ssl_error(connection._ssl, result)


PUBLIC: Encrypt = _encrypt_publicly
"""The same by pyOpenSSL's public methods, for any version."""


def choose() -> Encrypt:
    """Return the faster function, if this version of pyOpenSSL has what it needs."""
    return _direct() or PUBLIC


ENCRYPT = choose()
"""What connections use."""

encrypts_directly = ENCRYPT is not PUBLIC
"""Whether records are encrypted without pyOpenSSL's ``send``."""
