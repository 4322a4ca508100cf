"""Clients that begin with TLS, before a proxy with ``--dialect=auto:…`` and a plain backend."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
from typing import Any

from interop.attempts import tried
from interop.mail import PASSWORD, DovecotCase, SmtpBackendCase, message
from interop.peers import client_context
from interop.test_nats import NatsCase

MODES = ("starttls", "pair")


class MailboxTests(DovecotCase):
    def setUp(self) -> None:
        super().setUp()
        # It offers STARTTLS, which a client that has TLS must not see.
        self.ports = self.dovecot(tls=True)

    @tried("TLS first: greeted, not offered STARTTLS, logged in", "imaplib", "Dovecot")
    def test_imaplib_is_greeted_by_the_backend_without_starttls(self) -> None:
        for mode in MODES:
            port = self.proxy("auto:imap", self.ports["imap"], f"--mode={mode}")
            client = imaplib.IMAP4_SSL("localhost", port, ssl_context=client_context(), timeout=20)
            self.addCleanup(client.sock.close)
            self.assertIn(b"Dovecot", client.welcome)
            self.assertNotIn(b"STARTTLS", client.welcome)
            self.assertNotIn("STARTTLS", client.capabilities)
            client.login("demo", PASSWORD)
            self.assertEqual(client.select("INBOX")[0], "OK")
            client.logout()
            self.assert_all_served(1)

    @tried("TLS first: greeted, not offered STLS, logged in", "poplib", "Dovecot")
    def test_poplib_is_greeted_by_the_backend_without_stls(self) -> None:
        for mode in MODES:
            port = self.proxy("auto:pop3", self.ports["pop3"], f"--mode={mode}")
            client = poplib.POP3_SSL("localhost", port, context=client_context(), timeout=20)
            self.addCleanup(client.close)
            self.assertIn(b"Dovecot", client.getwelcome())
            self.assertNotIn("STLS", client.capa())
            client.user("demo")
            client.pass_(PASSWORD)
            client.stat()
            client.quit()
            self.assert_all_served(1)

    @tried("STARTTLS on the same port", "imaplib", "Dovecot")
    def test_the_same_server_still_serves_clients_that_request_tls(self) -> None:
        port = self.proxy("auto:imap", self.ports["imap"])
        client = imaplib.IMAP4("localhost", port, timeout=20)
        self.addCleanup(lambda: client.sock.close())
        client.starttls(client_context())
        client.login("demo", PASSWORD)
        client.logout()
        self.assert_all_served(1)


class SmtpTests(SmtpBackendCase):
    @tried("TLS first: greeted, not offered STARTTLS, a mail is delivered", "smtplib", "aiosmtpd")
    def test_smtplib_is_greeted_by_the_backend_and_delivers(self) -> None:
        for mode in MODES:
            mailbox, behind = self.aiosmtpd()
            port = self.proxy("auto:smtp", behind, f"--mode={mode}")
            with smtplib.SMTP_SSL(
                "localhost", port, context=client_context(), timeout=20
            ) as client:
                client.ehlo()
                self.assertFalse(client.has_extn("starttls"))
                client.send_message(message())
            self.assertEqual(len(mailbox.contents), 1)
            self.assert_all_served(1)


class NatsTests(NatsCase):
    @tried("TLS first: a message is published and received", "nats-py", "nats-server")
    def test_nats_py_publishes_after_a_handshake_first(self) -> None:
        async def round_trip(client: Any) -> None:
            messages = await client.subscribe("subject")
            await client.publish("subject", b"payload")
            self.assertEqual((await messages.next_msg(timeout=20)).data, b"payload")

        for mode in MODES:
            port = self.proxy("auto:nats", self.nats_server(), f"--mode={mode}")
            self.with_client(port, round_trip, tls_handshake_first=True)
            self.assert_all_served(1)
