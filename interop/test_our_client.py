"""tlsdemo as the client of foreign servers, with TLS and without."""

from __future__ import annotations

import sys

from interop.attempts import tried
from interop.mail import DovecotCase, PostfixCase, SmtpBackendCase
from interop.peers import InteropCase, ScriptedServer
from interop.postgres import PostgresCase
from tests.end_to_end.processes import TWISTD
from tests.support import certificates

STARTUP = bytes.fromhex("00030000") + b"user\0demo\0database\0postgres\0\0"
"""PostgreSQL's StartupMessage, without its length."""

MESSAGES = {
    "smtp": b"EHLO client.example.test\r\n",
    "imap": b"a9 CAPABILITY\r\n",
    "pop3": b"CAPA\r\n",
    "ftp": b"FEAT\r\n",
    "sieve": b"NOOP\r\n",
    "postgres": (4 + len(STARTUP)).to_bytes(4, "big") + STARTUP,
}

_STRICT = """
smtpd_helo_required = yes
smtpd_delay_reject = no
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
"""

MODES = ("starttls", "pair")


class ClientCase(InteropCase):
    def run_client(self, dialect: str, port: int, *options: str, message: bytes = b"") -> str:
        """Return what the client prints."""
        self.note("client", *options, dialect=dialect)
        authority = certificates().client.authority
        assert authority is not None
        output = self.run_command(
            *(sys.executable, "-m", "interop.speaker", dialect, str(port), str(authority.parent)),
            *((message or MESSAGES[dialect.removesuffix("-direct")]).hex(), *options),
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        return output.decode()

    def is_secure(self, dialect: str, port: int, answer: str) -> None:
        """Fail unless the client is secure in both modes, and receives an answer through TLS."""
        for mode in MODES:
            secure, answered, *_ = self.run_client(dialect, port, f"--mode={mode}").splitlines()
            self.assertIn("secure TLSv1.3", secure)
            self.assertIn(answer, answered)

    def verifies(self, dialect: str, port: int) -> None:
        """Fail unless the client rejects a server of another name before it sends anything."""
        output = self.run_client(dialect, port, "--name=elsewhere.example.test")
        self.assertIn("insecure: wrong name", output)
        self.assertNotIn("answered", output)

    def fails_closed(self, dialect: str, port: int, why: str) -> None:
        """Fail unless the client rejects a server without TLS, in both modes."""
        for mode in MODES:
            output = self.run_client(dialect, port, f"--mode={mode}")
            self.assertEqual(output.count("\n"), 1)
            self.assertIn(f"insecure: {why}", output)

    def load(self, dialect: str, port: int, *options: str) -> tuple[int, str]:
        """Return the exit status of the load generator, and its output."""
        self.note("client", *options, dialect=dialect)
        client = self.start(
            *(*TWISTD, "tlsclient", f"--connect=tcp:localhost:{port}", f"--dialect={dialect}"),
            *("--conn=3", "--packets=1", "--packet-size=2", "--status=none", "--workers=1"),
            *("--timeout=20", self.certs, *options),
        )
        return client.wait(), client.output


class BeforeAiosmtpd(ClientCase, SmtpBackendCase):
    @tried("secure, answered, verified", "aiosmtpd")
    def test_with_starttls(self) -> None:
        _, port = self.aiosmtpd(tls=True)
        self.is_secure("smtp", port, "250-")
        self.verifies("smtp", port)
        status, output = self.load("smtp", port)
        self.assertEqual(status, 0, output)
        self.assertIn("3 connections: 3 secured in", output)

    @tried("a server without TLS gets nothing", "aiosmtpd")
    def test_without(self) -> None:
        _, port = self.aiosmtpd()
        self.fails_closed("smtp", port, "peer offers no TLS")
        status, output = self.load("smtp", port)
        self.assertEqual(status, 2, output)
        self.assertIn("no connection was secured", output)


class BeforePostfix(ClientCase, PostfixCase):
    @tried("secure, answered, verified", "Postfix")
    def test_with_starttls(self) -> None:
        port = self.postfix(tls=True)
        self.is_secure("smtp", port, "250-postfix.example.test")
        self.verifies("smtp", port)
        # Postfix does not answer a close_notify, so the connections do not close cleanly.
        _, output = self.load("smtp", port)
        self.assertIn("3 connections: 3 secured in", output)

    @tried("`reject_non_fqdn_helo_hostname` with three names in EHLO", "Postfix")
    def test_that_wants_a_proper_name_in_ehlo(self) -> None:
        port = self.postfix(tls=True, more=_STRICT)
        secured = "3 connections: 3 secured in"
        for name, expected in (
            ("client", "no connection was secured"),
            ("client.example.test", secured),
            ("[192.0.2.1]", secured),
        ):
            _, output = self.load("smtp", port, f"--client-name={name}")
            self.assertIn(expected, output)

    @tried("a server without TLS gets nothing", "Postfix")
    def test_without(self) -> None:
        self.fails_closed("smtp", self.postfix(), "peer offers no TLS")


class BeforeDovecot(ClientCase, DovecotCase):
    @tried("secure, answered, verified", "Dovecot")
    def test_with_tls(self) -> None:
        ports = self.dovecot(tls=True)
        for dialect, answer in (("imap", "* CAPABILITY IMAP4rev1"), ("pop3", "+OK")):
            self.is_secure(dialect, ports[dialect], answer)
            self.verifies(dialect, ports[dialect])

    @tried("a server without TLS gets nothing", "Dovecot")
    def test_without(self) -> None:
        ports = self.dovecot()
        for dialect in ("imap", "pop3"):
            self.fails_closed(dialect, ports[dialect], "peer offers no TLS")


class BeforePigeonhole(ClientCase, DovecotCase):
    @tried("secure, answered, verified", "Dovecot")
    def test_with_tls(self) -> None:
        port = self.dovecot(tls=True, also=("sieve",))["sieve"]
        self.is_secure("sieve", port, "Pigeonhole")
        self.verifies("sieve", port)

    @tried("a server without TLS gets nothing", "Dovecot")
    def test_without(self) -> None:
        port = self.dovecot(also=("sieve",))["sieve"]
        self.fails_closed("sieve", port, "peer offers no TLS")


class BeforePostgres(ClientCase, PostgresCase):
    @tried("secure, answered, verified", "PostgreSQL")
    def test_with_ssl_on(self) -> None:
        port = self.postgres(tls=True)
        # AuthenticationOk.
        self.is_secure("postgres", port, r"R\x00\x00\x00\x08\x00\x00\x00\x00")
        self.verifies("postgres", port)

    @tried("a server without TLS gets nothing", "PostgreSQL")
    def test_with_ssl_off(self) -> None:
        self.fails_closed("postgres", self.postgres(), "peer offers no TLS")


class BeforeAServerThatBreaksItsPromise(ClientCase):
    @tried("a server, played by a script, that goes on in plain after STARTTLS gets nothing")
    def test_plain_bytes_instead_of_tls(self) -> None:
        answers = {b"EHLO": b"250 STARTTLS\r\n", b"STARTTLS": b"220 Ready\r\n"}
        _, port = ScriptedServer.start(self, b"220 here\r\n", answers, b"500 No such thing\r\n")
        for mode in MODES:
            output = self.run_client("smtp", port, f"--mode={mode}")
            self.assertEqual(output, "insecure: plain bytes instead of TLS: wrong version number\n")
