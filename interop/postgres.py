"""A PostgreSQL in a temporary directory, run by an unprivileged user."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from interop.peers import InteropCase, free_port, program
from tests.support import certificates

_PACKAGE = "postgresql"


class PostgresCase(InteropCase):
    """Runs a PostgreSQL."""

    def postgres(self, tls: bool = False, more: tuple[str, ...] = ()) -> int:
        """Start it, with ``more`` settings; return its port."""
        initdb, postgres = program("initdb", _PACKAGE), program("postgres", _PACKAGE)
        home, port = self.folder(), free_port()
        data = home / "data"
        self.run_command(
            *(*self.unprivileged(), initdb, "-D", str(data), "--username=demo"),
            *("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"),
            env={"HOME": str(home)},
        )
        server = self.daemon(
            *(*self.unprivileged(), postgres, "-D", str(data), "-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
            *("-c", "fsync=off", *(self._tls(home) if tls else ("-c", "ssl=off"))),
            *(each for setting in more for each in ("-c", setting)),
        )
        server.wait_for_line(re.escape("database system is ready to accept connections"))
        self._server = server
        return port

    def postgres_log(self) -> str:
        """Stop it, and return what it has logged."""
        self._server.signal(signal.SIGINT)
        self._server.wait()
        return self._server.output

    def _tls(self, home: Path) -> list[str]:
        self.copy_certificate(home)
        files = ("-c", f"ssl_cert_file={home}/cert", "-c", f"ssl_key_file={home}/key")
        return ["-c", "ssl=on", *files]


def conninfo(port: int, *more: str) -> str:
    """Return a connection string of libpq that verifies the server."""
    authority = certificates().client.authority
    return " ".join([
        f"host=localhost hostaddr=127.0.0.1 port={port} user=demo dbname=postgres",
        f"sslmode=verify-full sslrootcert='{authority}'", *more,
    ])  # fmt: skip


def plain(port: int) -> str:
    """Return a connection string of libpq without TLS."""
    return f"host=127.0.0.1 port={port} user=demo dbname=postgres sslmode=disable"
