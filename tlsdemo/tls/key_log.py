"""Logging TLS secrets, so that Wireshark can decrypt captured traffic."""

from __future__ import annotations

from collections.abc import Callable

from OpenSSL import SSL


class KeyLog:
    """Logs the secrets of every connection of a context (SSLKEYLOGFILE format).

    Anyone who has the secrets can decrypt the traffic of these connections.  ``append`` is called
    with each line, including its newline.  Pass an instance among the ``preparations`` of
    ``ServerTLS.build`` or ``ClientTLS.build``.
    """

    def __init__(self, append: Callable[[bytes], object]) -> None:
        self._append = append

    def __call__(self, context: SSL.Context) -> None:
        """Log the secrets of the connections of ``context``."""
        context.set_keylog_callback(self._write)

    def _write(self, _connection: SSL.Connection, line: bytes) -> None:
        self._append(line + b"\n")
