"""Giving OpenSSL the bytes of the wire, large pieces without a copy.

Theory of operation.  A memory BIO copies what is written to it into a buffer of its own, which
OpenSSL first grows and zeroes, and which it keeps for as long as the connection lasts.  For a read
of 64 KiB that takes as long as to decrypt it.  So OpenSSL gets a read-only BIO that is the very
bytes (BIO_new_mem_buf, BIO_s_mem(3ssl)) if there is much, and nothing left from before: to make one
costs less than to copy some kilobytes.  They are referred to until OpenSSL has read them all.

All names are those of pyOpenSSL's connection and of its OpenSSL, which are private.
"""

from __future__ import annotations

from typing import Any

VIEWED = 1 << 13
"""Bytes from which on OpenSSL gets them without a copy."""

_NOT_YET = -1
"""What a BIO returns that is empty: there may be more later; 0 would be an end of file."""


class WireInput:
    """The functions that give bytes of the wire to a connection, called with the connection.

    ``connection.viewed`` is what OpenSSL reads where it lies; ``b""`` once it has read it all, and
    ``None`` if it has a BIO of its own that takes copies.

    Raises:
        AttributeError: If this version of pyOpenSSL lacks a name.
    """

    def __init__(self, ffi: Any, lib: Any) -> None:
        self._at = ffi.new("char **")
        self._buffer, self._from_buffer = ffi.buffer, ffi.from_buffer
        self._new, self._in_memory, self._write = lib.BIO_new, lib.BIO_s_mem, lib.BIO_write
        self._new_view, self._at_end = lib.BIO_new_mem_buf, lib.BIO_set_mem_eof_return
        self._rest, self._use = lib.BIO_get_mem_data, lib.SSL_set_bio

    def give(self, connection: Any, data: bytes) -> int:
        """Give OpenSSL ``data``, of which there must be some."""
        size = len(data)
        if size < VIEWED or self._rest(connection._into_ssl, self._at):
            if connection.viewed is not None:
                self._copy_rest(connection)
            written: int = self._write(connection._into_ssl, bytes(data), size)
            return written
        # Not a copy, unless the caller's buffer can change.
        data = bytes(data)
        view = self._new_view(self._from_buffer(data), size)
        self._at_end(view, _NOT_YET)
        self._replace(connection, view)
        connection.viewed = data
        return size

    def release(self, connection: Any) -> None:
        """Refer to the viewed bytes no longer, if OpenSSL has read them all."""
        if not self._rest(connection._into_ssl, self._at):
            connection.viewed = b""

    def _copy_rest(self, connection: Any) -> None:
        """Have OpenSSL take copies again, first of what it has not read."""
        own = self._new(self._in_memory())
        size = self._rest(connection._into_ssl, self._at)
        if size:
            self._write(own, bytes(self._buffer(self._at[0], size)), size)
        self._replace(connection, own)
        connection.viewed = None

    def _replace(self, connection: Any, bio: Any) -> None:
        # Frees the one before.  The other direction's stays, as it is the same.
        self._use(connection._ssl, bio, connection._from_ssl)
        connection._into_ssl = bio
