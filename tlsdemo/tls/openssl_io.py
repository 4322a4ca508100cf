"""Moving bytes between OpenSSL and Python, with as little work a record as possible.

Theory of operation.  For every record, pyOpenSSL's ``recv`` allocates 32 KiB, and checks all
callbacks for exceptions; with small records that is most of a proxy's CPU time.  :func:`_direct`
decrypts into one buffer, which is sliced once for all the records of a read, and asks for the error
once.  It uses private names of pyOpenSSL; in a version that lacks one of them, ``PUBLIC`` does the
same with public methods.

A connection that is idle has no buffer (SSL_MODE_RELEASE_BUFFERS, SSL_CTX_set_mode(3ssl)).  With
that mode OpenSSL allocates a buffer for every record, so a drain of many records clears it, and in
the end sets it again.

The buffer is one for all connections: this must be used by one thread only, as all of Twisted.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from OpenSSL import SSL

from tlsdemo.tls.wire_input import WireInput

MAX_RECORD = 1 << 14
"""Maximum bytes of cleartext in a record (RFC 8446, section 5.1)."""

MAX_DRAINED = 1 << 18
"""Bytes after which :attr:`OpenSSLIO.drain` ends; more than one read of a socket brings."""

_BURST = 16
"""Records between two looks at how much has been decrypted: all of them fit into the rest."""


class Drained(typing.NamedTuple):
    """What has been decrypted, of how many records, and the error behind it, if there was one.

    Without an error there may be more.  ``WantReadError`` says that there is not.
    """

    data: bytes
    records: int
    problem: SSL.Error | None


@dataclass(frozen=True)
class OpenSSLIO:
    """The functions that move bytes; each is called with the connection first.

    Attributes:
        receive: Decrypts one record; raises as pyOpenSSL's ``recv`` does.
        drain: Decrypts all records at hand, or some 256 KiB; raises only if there is nothing.
        from_wire: Gives OpenSSL bytes of the wire, of which there must be some.
        for_wire: Returns bytes for the wire, at most so many; ``WantReadError`` if there are none.
        encrypt: Encrypts the same bytes so many times, as a record each; raises as pyOpenSSL's
            ``send`` does.  There must be some, and no more than fit into a record.
    """

    receive: Callable[[SSL.Connection, int], bytes]
    drain: Callable[[SSL.Connection], Drained]
    from_wire: Callable[[SSL.Connection, bytes], int]
    for_wire: Callable[[SSL.Connection, int], bytes]
    encrypt: Callable[[SSL.Connection, bytes, int], None]


def _drain_publicly(connection: SSL.Connection) -> Drained:
    chunks: list[bytes] = []
    size = 0
    while size < MAX_DRAINED:
        try:
            chunk = SSL.Connection.recv(connection, MAX_RECORD)
        except SSL.Error as error:
            if not chunks:
                raise
            return Drained(b"".join(chunks), len(chunks), error.with_traceback(None))
        size += len(chunk)
        chunks.append(chunk)
    return Drained(b"".join(chunks), len(chunks), None)


def _encrypt_publicly(connection: SSL.Connection, data: bytes, times: int) -> None:
    for _ in repeat(None, times):
        SSL.Connection.send(connection, data)


def _direct() -> OpenSSLIO | None:
    """Return functions that call OpenSSL; ``None`` if this version of pyOpenSSL lacks a name."""
    try:
        ffi, lib = SSL._ffi, SSL._lib  # type: ignore[attr-defined]
        ssl_read, ssl_write, bio_read = lib.SSL_read, lib.SSL_write, lib.BIO_read
        get_error, want_read = lib.SSL_get_error, lib.SSL_ERROR_WANT_READ
        wire_input = WireInput(ffi, lib)
        set_mode, clear_mode = lib.SSL_set_mode, lib.SSL_clear_mode
        release_buffers = lib.SSL_MODE_RELEASE_BUFFERS
        probe: Any = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        _ = probe._ssl, probe._into_ssl, probe._from_ssl
        _ = probe._raise_ssl_error
    except AttributeError:
        return None
    buffer = ffi.new("char[]", MAX_DRAINED + _BURST * MAX_RECORD)
    contents = ffi.buffer(buffer)
    start = buffer + 0

    def problem_of(connection: Any, got: int) -> SSL.Error:
        # The end of every drain, so without raising and catching it.
        if get_error(connection._ssl, got) == want_read:
            if connection.viewed:
                wire_input.release(connection)
            return SSL.WantReadError()
        try:
            connection._raise_ssl_error(connection._ssl, got)
        except SSL.Error as error:
            # Without the traceback, which would form a reference cycle.
            return error.with_traceback(None)
        return SSL.WantReadError()

    def receive(connection: Any, most: int) -> bytes:
        got = ssl_read(connection._ssl, buffer, min(most, MAX_RECORD))
        if got <= 0:
            raise problem_of(connection, got)
        data: bytes = contents[:got]
        return data

    def keep_buffers(ssl: Any) -> bool:
        """Have OpenSSL keep its buffer, if it releases it after each record."""
        if not set_mode(ssl, 0) & release_buffers:
            return False
        clear_mode(ssl, release_buffers)
        # Only this tells it to the record layer.
        set_mode(ssl, 0)
        return True

    def drain(connection: Any) -> Drained:
        ssl = connection._ssl
        end, got, drained, records, kept = start, 1, 0, 0, False
        while got > 0 and drained < MAX_DRAINED:
            # The loop that every record passes: each name and each sum in it is measurable.
            for more in range(_BURST):
                got = ssl_read(ssl, end, MAX_RECORD)
                if got <= 0:
                    records += more
                    break
                end += got
            else:
                records += _BURST
                kept = kept or keep_buffers(ssl)
            drained = end - start
        if not records:
            # No local variable may refer to what is raised: that would be a reference cycle.
            raise problem_of(connection, got)
        problem = None if got > 0 else problem_of(connection, got)
        if kept:
            set_mode(ssl, release_buffers)
            if isinstance(problem, SSL.WantReadError):
                # Nothing is left to read, so this releases the buffer.
                ssl_read(ssl, buffer, 1)
        return Drained(contents[:drained], records, problem)

    def for_wire(connection: Any, most: int) -> bytes:
        got = bio_read(connection._from_ssl, buffer, min(most, MAX_DRAINED))
        if got <= 0:
            # A BIO in memory has no other error, and its end is never told to this one.
            raise SSL.WantReadError
        data: bytes = contents[:got]
        return data

    def encrypt(connection: Any, data: bytes, times: int) -> None:
        ssl, size = connection._ssl, len(data)
        for _ in repeat(None, times):
            done = ssl_write(ssl, data, size)
            if done <= 0:
                raise problem_of(connection, done)

    return OpenSSLIO(receive, drain, wire_input.give, for_wire, encrypt)


PUBLIC = OpenSSLIO(
    SSL.Connection.recv,
    _drain_publicly,
    SSL.Connection.bio_write,
    SSL.Connection.bio_read,
    _encrypt_publicly,
)
"""The same by pyOpenSSL's public methods, for any version."""


def choose() -> OpenSSLIO:
    """Return the faster functions, if this version of pyOpenSSL has what they need."""
    return _direct() or PUBLIC


IO = choose()
"""What connections use."""

decrypts_directly = IO is not PUBLIC
"""Whether records are decrypted without pyOpenSSL's ``recv``."""
