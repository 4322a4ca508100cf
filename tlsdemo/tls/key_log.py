"""Writing down TLS secrets, so that Wireshark can decrypt a capture."""

from __future__ import annotations

from collections.abc import Callable

from OpenSSL import SSL


class KeyLog:
    """Writes the secrets of every connection to a file (SSLKEYLOGFILE format).

    Anyone who has the file can read what those connections carried.
    """

    def __init__(self, append: Callable[[bytes], object]) -> None:
        self._append = append

    def __call__(self, context: SSL.Context) -> None:
        """Have the connections of ``context`` write their secrets."""
        context.set_keylog_callback(self._write)

    def _write(self, _connection: SSL.Connection, line: bytes) -> None:
        self._append(line + b"\n")
