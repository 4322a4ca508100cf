"""MySQL: our client before a MariaDB, and MariaDB's client before our server."""

from __future__ import annotations

import signal

from interop.attempts import tried
from interop.peers import await_port, free_port, program
from interop.test_our_client import MODES, ClientCase
from tests.support import certificates

_CAPABILITIES = 0x0008_8A01
"""PLUGIN_AUTH, SECURE_CONNECTION, SSL, PROTOCOL_41, LONG_PASSWORD."""

_RESPONSE = (
    _CAPABILITIES.to_bytes(4, "little")
    + (1 << 24).to_bytes(4, "little")
    + b"\x21"
    + bytes(23)
    + b"demo\0\0mysql_native_password\0"
)
_LOGIN = len(_RESPONSE).to_bytes(3, "little") + b"\x02" + _RESPONSE
"""The HandshakeResponse of a user whom the server does not know."""


class BeforeMariaDB(ClientCase):
    def mariadb(self, *options: str) -> int:
        """Start it, with more ``options``; return its port."""
        installer = program("mariadb-install-db", "mariadb-server")
        mariadbd = program("mariadbd", "mariadb-server")
        home, port = self.folder(), free_port()
        self.copy_certificate(home)
        own = ("--no-defaults", f"--datadir={home}/data")
        as_nobody = self.unprivileged()
        self.run_command(*as_nobody, installer, *own, "--skip-test-db")
        self.daemon(
            *(*as_nobody, mariadbd, *own, f"--port={port}", "--bind-address=127.0.0.1"),
            *(f"--socket={home}/socket", *(each.format(home=home) for each in options)),
            # It ignores SIGINT.
            stop_by=signal.SIGTERM,
        )
        await_port(port)
        return port

    @tried("secure, answered, verified", "MariaDB")
    def test_with_tls(self) -> None:
        files = ("--ssl-ca={home}/ca", "--ssl-cert={home}/cert", "--ssl-key={home}/key")
        port = self.mariadb(*files)
        for mode in MODES:
            output = self.run_client("mysql", port, f"--mode={mode}", message=_LOGIN)
            self.assertIn("secure TLSv1.3", output)
            self.assertIn("Access denied for user", output)
        output = self.run_client("mysql", port, "--name=elsewhere.example.test", message=_LOGIN)
        self.assertIn("insecure: wrong name", output)
        self.assertNotIn("answered", output)

    @tried("a server without TLS gets nothing", "MariaDB")
    def test_without(self) -> None:
        port = self.mariadb("--skip-ssl")
        for mode in MODES:
            output = self.run_client("mysql", port, f"--mode={mode}", message=_LOGIN)
            self.assertEqual(output.count("\n"), 1)
            self.assertIn("insecure: peer offers no TLS", output)


class BeforeOurServer(ClientCase):
    @tried("the SSLRequest; the name is verified", "mariadb")
    def test_mariadb_becomes_secure(self) -> None:
        mariadb, client = program("mariadb", "mariadb-client"), certificates().client
        for mode in MODES:
            self.running, port = self.tlsdemo_server(
                "--role=echo", "--dialect=mysql", f"--mode={mode}"
            )
            # Its login comes back as an echo, which is no answer to it.
            self.run_unchecked(
                *(mariadb, "--no-defaults", "--protocol=tcp", "--host=localhost", f"--port={port}"),
                *("--ssl-verify-server-cert", f"--ssl-ca={client.authority}"),
                *(f"--ssl-cert={client.certificate}", f"--ssl-key={client.key}"),
                *("--connect-timeout=5", "--user=demo", "--execute=SELECT 1"),
            )
            self.running.wait_for_line(" secure agreed=.*TLSv1.3.*peer=")
            self.summary(self.running)
