"""OpenSSL's s_client upgrades in every dialect that it knows, in both modes that upgrade."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from interop.attempts import tried
from interop.peers import InteropCase, program
from tests.end_to_end.processes import TIMEOUT
from tests.support import certificates

DIALECTS = {
    "smtp": "smtp",
    "lmtp": "lmtp",
    "imap": "imap",
    "pop3": "pop3",
    "ftp": "ftp",
    "xmpp": "xmpp",
    "xmpp-server": "xmpp",
    "postgres": "postgres",
    "mysql": "mysql",
    "ldap": "ldap",
    "nntp": "nntp",
    "sieve": "sieve",
}
"""The names of the dialects in s_client, and ours."""

VERSIONS = {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}

# Digits only: s_client would take some letters at the beginning of a line for commands.
PAYLOAD = b"".join(b"%07d\n" % number for number in range(5_000))


class SClientCase(InteropCase):
    def setUp(self) -> None:
        self.openssl = program("openssl", "openssl")
        super().setUp()

    def client(self, port: int, version: str, *options: str) -> list[str]:
        client = certificates().client
        return [
            *(self.openssl, "s_client", "-connect", f"127.0.0.1:{port}", version),
            *("-quiet", "-no_ign_eof", "-verify_return_error", "-CAfile", str(client.authority)),
            *("-verify_hostname", "localhost", "-servername", "localhost"),
            *("-cert", str(client.certificate), "-key", str(client.key), *options),
        ]

    def is_echoed(self, port: int, version: str, *options: str) -> None:
        errors = self.home / "errors"
        with errors.open("wb") as file:
            process = subprocess.Popen(
                self.client(port, version, *options),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file,
            )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        with process.stdin, process.stdout:
            process.stdin.write(PAYLOAD)
            process.stdin.flush()
            echoed = process.stdout.read(len(PAYLOAD))
            process.stdin.close()
            rest = process.stdout.read()
        status = process.wait(TIMEOUT)
        self.assertEqual((echoed == PAYLOAD, rest, status), (True, b"", 0), errors.read_bytes())

    def upgrades(self, mode: str, foreign: str, dialect: str) -> None:
        self.running, port = self.tlsdemo_server(
            "--role=echo", f"--dialect={dialect}", f"--mode={mode}"
        )
        name = ("-name", "localhost") if foreign in ("smtp", "lmtp") else ()
        if dialect == "xmpp":
            name = ("-xmpphost", "localhost")
        for version, agreed in VERSIONS.items():
            self.is_echoed(port, version, "-starttls", foreign, *name)
            self.running.wait_for_line(f" secure agreed=.*{agreed}.*peer=")
        self.assert_all_closed_cleanly(len(VERSIONS))


def _test(mode: str, foreign: str, dialect: str) -> Callable[[Any], None]:
    @tried(f"`-starttls {foreign}`: 40,000 bytes are echoed, TLS 1.2 and 1.3", "openssl s_client")
    def test(case: Any) -> None:
        case.upgrades(mode, foreign, dialect)

    return test


class InModeStarttls(SClientCase):
    pass


class InModePair(SClientCase):
    pass


for _foreign, _dialect in DIALECTS.items():
    _name = f"test_{_foreign.replace('-', '_')}_upgrades_and_its_bytes_are_echoed"
    setattr(InModeStarttls, _name, _test("starttls", _foreign, _dialect))
    setattr(InModePair, _name, _test("pair", _foreign, _dialect))


class Auto(SClientCase):
    @tried("with and without STARTTLS on one port, TLS 1.2 and 1.3", "openssl s_client")
    def test_smtp_with_and_without_starttls_on_one_port(self) -> None:
        self.running, port = self.tlsdemo_server("--role=echo", "--dialect=auto:smtp")
        for version in VERSIONS:
            self.is_echoed(port, version)
            self.is_echoed(port, version, "-starttls", "smtp")
        self.assert_all_closed_cleanly(2 * len(VERSIONS))


class Rejected(SClientCase):
    @tried("a client without a certificate is refused", "openssl s_client")
    def test_a_client_without_a_certificate(self) -> None:
        self.running, port = self.tlsdemo_server("--role=echo", "--dialect=smtp")
        arguments = self.client(port, "-tls1_2", "-starttls", "smtp")
        at = arguments.index("-cert")
        del arguments[at : at + 4]
        done = self.run_unchecked(*arguments, stdin=PAYLOAD)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")
        self.assertIn("0 secured", self.summary(self.running))
