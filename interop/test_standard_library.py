"""The mail, FTP and LDAP clients of Python, up to TLS and a few bytes of cleartext."""

from __future__ import annotations

import ftplib
import imaplib
import poplib
import smtplib
import ssl
from typing import Any

from interop.attempts import tried
from interop.peers import InteropCase, client_context, module, program
from tests.support import certificates


class UpToTLS(InteropCase):
    """The server echoes the cleartext of the client."""

    def serve(self, dialect: str) -> int:
        self.running, port = self.tlsdemo_server("--role=echo", f"--dialect={dialect}")
        return port

    def is_echoed(self, sock: Any) -> None:
        self.assertIsInstance(sock, ssl.SSLSocket)
        self.assertEqual(sock.version(), "TLSv1.3")
        sock.sendall(b"sent through TLS")
        received = b""
        while len(received) < len(b"sent through TLS"):
            received += sock.recv(100)
        self.assertEqual(received, b"sent through TLS")

    @tried("STARTTLS, and an echo", "smtplib")
    def test_smtplib(self) -> None:
        client = smtplib.SMTP("localhost", self.serve("smtp"))
        self.addCleanup(client.close)
        self.assertEqual(client.starttls(context=client_context())[0], 220)
        self.is_echoed(client.sock)

    @tried("STARTTLS, and an echo", "smtplib")
    def test_smtplib_with_lmtp(self) -> None:
        client = smtplib.LMTP("localhost", self.serve("lmtp"))
        self.addCleanup(client.close)
        self.assertEqual(client.starttls(context=client_context())[0], 220)
        self.is_echoed(client.sock)

    @tried("STARTTLS, and an echo", "imaplib")
    def test_imaplib(self) -> None:
        client = imaplib.IMAP4("localhost", self.serve("imap"))
        self.addCleanup(client.shutdown)
        # It requests the capabilities again, and the echo is not an answer to that.
        error = self.assertRaises(imaplib.IMAP4.abort, client.starttls, client_context())
        self.assertIn("CAPABILITY", str(error))
        self.is_echoed(client.sock)

    @tried("STLS, and an echo", "poplib")
    def test_poplib(self) -> None:
        client = poplib.POP3("localhost", self.serve("pop3"))
        self.addCleanup(client.close)
        self.assertIn("STLS", client.capa())
        self.assertEqual(client.stls(client_context())[:3], b"+OK")
        self.is_echoed(client.sock)

    @tried("AUTH TLS, and an echo", "ftplib")
    def test_ftplib(self) -> None:
        client = ftplib.FTP_TLS(context=client_context())
        client.connect("localhost", self.serve("ftp"))
        self.addCleanup(client.close)
        self.assertEqual(client.auth()[:3], "234")
        self.is_echoed(client.sock)

    @tried("StartTLS, and an echo", "ldap3")
    def test_ldap3(self) -> None:
        ldap3 = module("ldap3", "ldap3")
        client = certificates().client
        tls = ldap3.Tls(
            local_private_key_file=str(client.key), local_certificate_file=str(client.certificate),
            ca_certs_file=str(client.authority), validate=ssl.CERT_REQUIRED,
        )  # fmt: skip
        server = ldap3.Server("localhost", self.serve("ldap"), tls=tls, get_info=ldap3.NONE)
        connection = ldap3.Connection(server)
        connection.open()
        self.addCleanup(connection.strategy.close)
        self.assertTrue(connection.start_tls())
        self.is_echoed(connection.socket)

    @tried("StartTLS by GnuTLS, and an orderly end", "ldapsearch")
    def test_ldapsearch_which_uses_gnutls(self) -> None:
        client = certificates().client
        search = program("ldapsearch", "ldap-utils")
        port = self.serve("ldap")
        # By address, because it replaces "localhost" with the name of this machine.
        done = self.run_unchecked(
            *(search, "-ZZ", "-x", "-H", f"ldap://127.0.0.1:{port}", "-s", "base"),
            env={
                "LDAPTLS_CACERT": str(client.authority),
                "LDAPTLS_CERT": str(client.certificate),
                "LDAPTLS_KEY": str(client.key),
                "LDAPTLS_REQCERT": "demand",
            },
        )
        # It received the echo of its bind request, and takes the version in it (3) for the result.
        self.assertIn(b"ldap_bind: Time limit exceeded (3)", done.stderr)
        self.running.wait_for_line(" secure agreed=.*TLSv1.3.*peer=")
        self.running.wait_for_line(" closed how=clean")
