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

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

MAX_RECORD = 1 << 14
"""Maximum bytes of cleartext in a record (RFC 8446, section 5.1)."""

_RECORDS = 4
"""Records that are encrypted before the buffer is sliced."""

_SPARE = 1 << 14
"""More bytes than records are longer than their cleartext, and than OpenSSL says on its own."""


Encrypt = Callable[[SSL.Connection, bytes, int], tuple[int, bytes]]
"""Encrypts the first so many bytes of something, in records that are full but for the last.

Returns how many bytes have been encrypted, and the bytes for the wire.  It is fewer if OpenSSL
cannot continue, which says why if it is asked to send the rest.
"""


def _encrypt_publicly(connection: SSL.Connection, data: bytes, size: int) -> tuple[int, bytes]:
    taken, chunks = 0, []
    while taken < size:
        end = min(taken + MAX_RECORD, size)
        try:
            taken += SSL.Connection.send(connection, data[taken:end])
        except SSL.Error:
            break
        chunks.append(SSL.Connection.bio_read(connection, MAX_RECORD + _SPARE))
    return taken, b"".join(chunks)


def _direct() -> Encrypt | None:
    """Return a function that calls OpenSSL; ``None`` if this version of pyOpenSSL lacks a name."""
    try:
        ffi, lib = SSL._ffi, SSL._lib  # type: ignore[attr-defined]
        ssl_write, bio_read, from_buffer = lib.SSL_write, lib.BIO_read, ffi.from_buffer
        probe: Any = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        _ = probe._ssl, probe._from_ssl, probe._raise_ssl_error
    except AttributeError:
        return None
    room = MAX_RECORD + _SPARE
    buffer = ffi.new("char[]", _RECORDS * room)
    contents = ffi.buffer(buffer)
    start = buffer + 0

    def encrypt(connection: Any, data: bytes, size: int) -> tuple[int, bytes]:
        ssl, bio = connection._ssl, connection._from_ssl
        source = from_buffer(data)
        taken, chunks = 0, []
        while taken < size:
            end = start
            for _ in range(_RECORDS):
                written = ssl_write(ssl, source + taken, min(MAX_RECORD, size - taken))
                if written <= 0:
                    break
                taken += written
                end += bio_read(bio, end, room)
                if taken == size:
                    break
            if end != start:
                chunks.append(contents[: end - start])
            if written <= 0:
                _forget_error(connection, written)
                break
        return taken, chunks[0] if len(chunks) == 1 else b"".join(chunks)

    return encrypt


def _forget_error(connection: Any, result: int) -> None:
    """Take what went wrong out of OpenSSL's queue, where another connection would find it."""
    try:
        connection._raise_ssl_error(connection._ssl, result)
    except SSL.Error:
        pass


PUBLIC: Encrypt = _encrypt_publicly
"""The same by pyOpenSSL's public methods, for any version."""


def choose() -> Encrypt:
    """Return the faster function, if this version of pyOpenSSL has what it needs."""
    return _direct() or PUBLIC


ENCRYPT = choose()
"""What connections use."""
