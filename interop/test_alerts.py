"""The alerts that our ends send, as the ``openssl`` program understands them."""

from __future__ import annotations

import re
from pathlib import Path

from interop.attempts import tried
from interop.peers import InteropCase, free_port, program
from tests.support import certificates
from tests.tls import bad_certificates

VERSIONS = ("-tls1_2", "-tls1_3")


class Alerts(InteropCase):
    def setUp(self) -> None:
        self.openssl = program("openssl", "openssl")
        super().setUp()

    def assert_alert(self, number: int, output: str) -> None:
        """Check that ``openssl`` has received an alert, by its number in the error message."""
        self.assertEqual(re.findall(r"SSL alert number (\d+)", output), [str(number)], output)

    def server_gets(self, certificate: Path, key: Path, version: str, *options: str) -> str:
        """Let our client connect to ``s_server``; return what that prints."""
        port = free_port()
        self.note("client", *options)
        server = self.start(
            *(self.openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-naccept", "1", version),
            *("-cert", str(certificate), "-key", str(key), "-cert_chain", str(certificate)),
        )
        server.wait_for_line("ACCEPT")
        self.twistd(
            *("-n", "--pidfile=", "tlsclient", "--conn=1", self.certs, "--status=none"),
            *(f"--connect=tcp:127.0.0.1:{port}", *options),
        ).wait()
        server.wait()
        return server.output

    def client_gets(self, server: list[str], *options: str) -> str:
        """Let ``s_client`` connect to our server; return what it prints."""
        running, port = self.tlsdemo_server("--role=echo", *server)
        done = self.run_unchecked(
            *(self.openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof", *options)
        )
        self.summary(running)
        return (done.stdout + done.stderr).decode()

    @tried("each bad certificate of the server gets the alert that says why", "openssl s_server")
    def test_of_a_client_for_the_servers_certificate(self) -> None:
        for made, number in (
            (bad_certificates.other_name(), 42),
            (bad_certificates.of_a_stranger(), 48),
            (bad_certificates.expired(), 45),
            (bad_certificates.premature(), 45),
            (bad_certificates.forged(), 42),
            (bad_certificates.other_purpose(), 43),
        ):
            assert made.certificate is not None and made.key is not None
            for version in VERSIONS:
                self.assert_alert(number, self.server_gets(made.certificate, made.key, version))

    @tried("each bad certificate of the client gets the alert that says why", "openssl s_client")
    def test_of_a_server_for_the_clients_certificate(self) -> None:
        for made, number in (
            (bad_certificates.of_a_stranger(), 48),
            (bad_certificates.expired(), 45),
            (bad_certificates.premature(), 45),
            (bad_certificates.forged(), 42),
        ):
            for version in VERSIONS:
                shown = ("-cert", str(made.certificate), "-key", str(made.key))
                self.assert_alert(number, self.client_gets([], version, *shown))

    @tried("a missing certificate gets its alert", "openssl s_client")
    def test_of_a_server_for_a_missing_certificate(self) -> None:
        for version, number in zip(VERSIONS, (40, 116), strict=True):
            self.assert_alert(number, self.client_gets([], version))

    @tried("no version or cipher in common gets its alert", "openssl s_client")
    def test_of_a_server_for_nothing_in_common(self) -> None:
        client = certificates().client
        shown = ("-cert", str(client.certificate), "-key", str(client.key))
        old = self.client_gets(["--tls-min=1.3"], "-tls1_2", *shown)
        self.assert_alert(70, old)
        weak = self.client_gets([], "-tls1_2", "-cipher", "AES128-SHA", *shown)
        self.assert_alert(40, weak)

    @tried("a client that offers only other protocols by ALPN gets its alert", "openssl s_client")
    def test_of_a_server_for_another_protocol_than_the_required_one(self) -> None:
        # What libpq calls sslnegotiation=direct is a ClientHello that begins the connection.
        for version in VERSIONS:
            other = self.client_gets(
                ["--dialect=postgres", "--client-auth=none"], version, "-alpn", "h2"
            )
            self.assert_alert(120, other)
