"""A plain Dovecot behind the proxy; mbsync, imapflow, fetchmail and gsasl before it."""

from __future__ import annotations

import base64
import email.policy
import json
import subprocess
import sys
from pathlib import Path

from interop.attempts import tried
from interop.mail import PASSWORD, DovecotCase, SmtpBackendCase, message
from interop.peers import InteropCase, node_package, program
from tests.end_to_end.processes import TIMEOUT
from tests.support import certificates

CONTENT = message().as_bytes(policy=email.policy.SMTP)
MODES = ("starttls", "pair")

_MBSYNC = """
IMAPAccount remote
Host localhost
Port {port}
User demo
Pass {password}
SSLType STARTTLS
CertificateFile {client.authority}
ClientCertificate {client.certificate}
ClientKey {client.key}

IMAPStore remote
Account remote

MaildirStore local
Path {home}/
Inbox {home}/inbox

Channel all
Far :remote:
Near :local:
Patterns INBOX
Create Near
SyncState *
"""

_FETCHMAIL = """
poll localhost service {port} protocol {protocol}
    user demo password {password}
    sslproto tls1.2+ sslcertck sslcertfile {client.authority}
    sslcert {client.certificate} sslkey {client.key}
    fetchall mda "cat >>{home}/mails"
"""


def script(name: str) -> str:
    """Return the path of a script of this folder."""
    return str(Path(__file__).with_name(name))


class MailboxTests(DovecotCase):
    def setUp(self) -> None:
        super().setUp()
        self.ports = self.dovecot()

    def configured(self, name: str, text: str, **values: object) -> Path:
        path = self.home / name
        given = {"client": certificates().client, "password": PASSWORD, "home": self.home}
        path.write_text(text.format(**given, **values))
        path.chmod(0o600)
        return path

    @tried("a mailbox is synchronized after `COMPRESS DEFLATE`", "mbsync", "Dovecot")
    def test_mbsync(self) -> None:
        mbsync = program("mbsync", "isync")
        self.deliver(CONTENT)
        for mode in MODES:
            self.home /= mode
            self.home.mkdir()
            port = self.proxy("imap", self.ports["imap"], f"--mode={mode}")
            config = self.configured("mbsyncrc", _MBSYNC, port=port)
            out = self.run_command(mbsync, "-c", str(config), "-Dn", "all").decode()
            self.assertRegex(out, r"COMPRESS DEFLATE\s")
            (mail,) = (self.home / "inbox" / "new").iterdir()
            lines = mail.read_bytes().splitlines()
            self.assertEqual(
                [each for each in lines if not each.startswith(b"X-TUID")], CONTENT.splitlines()
            )
            self.assert_all_served(1)

    @tried("a mail is appended and fetched after `COMPRESS DEFLATE`", "imapflow", "Dovecot")
    def test_imapflow(self) -> None:
        node = node_package("imapflow")
        for mode in MODES:
            port = self.proxy("imap", self.ports["imap"], f"--mode={mode}")
            folder = certificates().authority.parent
            command = (node, script("imapflow_client.mjs"), str(port), str(folder))
            seen = json.loads(self.run_command(*command, stdin=CONTENT))
            self.assertEqual((seen["secure"], seen["compressed"]), (True, True))
            self.assertEqual(base64.b64decode(seen["source"]), CONTENT)
            self.assert_all_served(1)

    @tried("a mail is fetched and deleted", "fetchmail", "Dovecot")
    def test_fetchmail(self) -> None:
        fetchmail = program("fetchmail", "fetchmail")
        for dialect in ("imap", "pop3"):
            for mode in MODES:
                self.deliver(CONTENT)
                port = self.proxy(dialect, self.ports[dialect], f"--mode={mode}")
                config = self.configured("fetchmailrc", _FETCHMAIL, port=port, protocol=dialect)
                command = (fetchmail, "--fetchmailrc", str(config), "--nosyslog", "--verbose")
                self.run_command(*command, env={"FETCHMAILHOME": str(self.home)})
                self.assertIn(b"\nSTARTTLS\n", (self.home / "mails").read_bytes())
                self.assertEqual(list((self.mail / "new").iterdir()), [])
                self.assert_all_served(1)


class SecurityLayerTests(InteropCase):
    @tried("DIGEST-MD5 with an integrity layer, of Cyrus SASL behind the proxy", "gsasl")
    def test_gsasl_speaks_in_its_layer(self) -> None:
        gsasl, client = program("gsasl", "gsasl"), certificates().client
        server = self.start(sys.executable, "-m", "interop.sasl_imap_server")
        behind = int(server.wait_for_line(r"listening on (\d+)")[1])
        for mode in MODES:
            port = self.proxy("imap", behind, f"--mode={mode}")
            client_process = subprocess.Popen(
                [
                    *(gsasl, "--imap", "--starttls", "--no-cb", "--mechanism=DIGEST-MD5"),
                    *("--quality-of-protection=qop-int", "--authentication-id=demo"),
                    *(f"--password={PASSWORD}", "--realm=localhost"),
                    *(f"--x509-ca-file={client.authority}", f"--x509-key-file={client.key}"),
                    *(f"--x509-cert-file={client.certificate}", "localhost", str(port)),
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            self.addCleanup(client_process.kill)
            assert client_process.stdin is not None and client_process.stdout is not None
            with client_process.stdin, client_process.stdout:
                client_process.stdin.write(b"x NOOP\n")
                client_process.stdin.flush()
                received = b""
                while b"x OK done" not in received:
                    received += (line := client_process.stdout.readline())
                    self.assertTrue(line, received)
                client_process.stdin.close()
                client_process.stdout.read()
            client_process.wait(TIMEOUT)
            server.wait_for_line(r"^in the layer b'x NOOP")
            self.assert_all_served(1)


class NodemailerTests(SmtpBackendCase):
    @tried("a mail that looks like commands is delivered", "nodemailer", "aiosmtpd")
    def test_delivers(self) -> None:
        node = node_package("nodemailer")
        for mode in MODES:
            mailbox, behind = self.aiosmtpd()
            port = self.proxy("smtp", behind, f"--mode={mode}")
            folder = certificates().authority.parent
            command = (node, script("nodemailer_client.mjs"), str(port), str(folder))
            self.run_command(*command, stdin=CONTENT)
            self.assertEqual(
                [content.splitlines() for content in mailbox.contents], [CONTENT.splitlines()]
            )
            self.assert_all_served(1)
