"""Whether foreign servers take ClientHellos in segments, and send a HelloRetryRequest."""

from __future__ import annotations

import json
from pathlib import Path

from interop.attempts import tried
from interop.mail import DovecotCase, PostfixCase, SmtpBackendCase
from interop.peers import InteropCase, free_port, program
from interop.postgres import PostgresCase
from tests.end_to_end.processes import TWISTD
from tests.support import certificates

WHAT = "takes a ClientHello cut at 1, 100, 512 and 1400 bytes, and sends a HelloRetryRequest"


class ReadinessCase(InteropCase):
    def is_ready(self, dialect: str, port: int) -> None:
        """Fail unless every check is passed."""
        self.note("client", "--mode=pair", dialect=dialect)
        client = self.start(
            *(*TWISTD, "tlsclient", f"--connect=tcp:localhost:{port}", f"--dialect={dialect}"),
            *("--scenario=readiness", "--json=ready.json", self.certs),
        )
        status = client.wait()
        checks = json.loads(Path(self.home, "ready.json").read_text())["readiness"]["checks"]
        self.assertEqual([each["verdict"] for each in checks], ["passed"] * 7, checks)
        self.assertEqual(status, 0)


class OfOpenSSL(ReadinessCase):
    @tried(WHAT, "openssl s_server")
    def test_from_the_first_byte(self) -> None:
        server = certificates().server
        port = free_port()
        running = self.start(
            *(program("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}"),
            *("-cert", str(server.certificate), "-key", str(server.key)),
        )
        running.wait_for_line("ACCEPT")
        self.is_ready("immediate", port)


class OfAiosmtpd(ReadinessCase, SmtpBackendCase):
    @tried(WHAT, "aiosmtpd")
    def test_with_starttls(self) -> None:
        _, port = self.aiosmtpd(tls=True)
        self.is_ready("smtp", port)


class OfPostfix(ReadinessCase, PostfixCase):
    @tried(WHAT, "Postfix")
    def test_with_starttls(self) -> None:
        self.is_ready("smtp", self.postfix(tls=True))


class OfDovecot(ReadinessCase, DovecotCase):
    @tried(WHAT, "Dovecot")
    def test_with_tls(self) -> None:
        ports = self.dovecot(tls=True)
        for dialect in ("imap", "pop3"):
            self.is_ready(dialect, ports[dialect])


class OfPostgres(ReadinessCase, PostgresCase):
    @tried(WHAT, "PostgreSQL")
    def test_with_ssl_on(self) -> None:
        self.is_ready("postgres", self.postgres(tls=True))
