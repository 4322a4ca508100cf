"""A plain SMTP server behind the proxy; smtplib, swaks and curl before it."""

from __future__ import annotations

import email
import email.policy
import smtplib

from interop.attempts import tried
from interop.mail import BODY, DovecotCase, PostfixCase, SmtpBackendCase, message
from interop.peers import ScriptedServer, client_context, program
from tests.support import certificates


class ChunkedTests(PostfixCase):
    def chunked(self, *settings: str) -> list[int]:
        """Send a mail by BDAT through the proxy; return the codes of the replies."""
        port = self.proxy("smtp", self.postfix(more="\n".join(settings)))
        with smtplib.SMTP("localhost", port, timeout=20) as client:
            client.starttls(context=client_context())
            client.ehlo()
            codes = [client.mail("one@example.test")[0], client.rcpt("two@example.test")[0]]
            chunk = b"Subject: a\r\n\r\na\r\n.\r\nb\n.\nc\r\n"
            client.send(b"BDAT %d LAST\r\n" % len(chunk) + chunk)
            return [*codes, client.getreply()[0]]

    @tried("a mail by `BDAT`", "smtplib", "Postfix")
    def test_mail_reaches_a_postfix_that_offers_chunking(self) -> None:
        self.assertEqual(self.chunked(), [250, 250, 250])

    @tried("`BDAT` to a backend that does not offer `CHUNKING`", "smtplib", "Postfix")
    def test_mail_is_rejected_if_postfix_does_not_offer_it(self) -> None:
        codes = self.chunked("smtpd_discard_ehlo_keywords = chunking, silent-discard")
        self.assertEqual(codes, [250, 250, 500])


class Delivered(SmtpBackendCase):
    def setUp(self) -> None:
        super().setUp()
        self.mailbox, behind = self.aiosmtpd()
        self.port = self.proxy("smtp", behind)

    def arrived(self) -> None:
        (content,) = self.mailbox.contents
        arrived = email.message_from_bytes(content, policy=email.policy.default)
        self.assertEqual(arrived["Subject"], "STARTTLS")
        self.assertEqual(str(arrived.get_payload()).strip().splitlines(), BODY.splitlines())

    @tried("a mail that looks like commands is delivered", "smtplib", "aiosmtpd")
    def test_by_smtplib(self) -> None:
        with smtplib.SMTP("localhost", self.port) as client:
            client.ehlo()
            self.assertTrue(client.has_extn("starttls"))
            self.assertEqual(client.starttls(context=client_context())[0], 220)
            client.ehlo()
            self.assertFalse(client.has_extn("starttls"))
            self.assertTrue(client.has_extn("size"))
            self.assertEqual(client.docmd("STARTTLS")[0], 500)
            self.assertEqual(client.noop()[0], 250)
            client.send_message(message())
        self.arrived()
        self.assert_all_served(1)

    @tried("a mail that looks like commands is delivered", "swaks", "aiosmtpd")
    def test_by_swaks(self) -> None:
        client = certificates().client
        self.run_command(
            *(program("swaks", "swaks libnet-ssleay-perl"), "--server", "localhost", "--tls"),
            *("--port", str(self.port), "--tls-verify", "--tls-ca-path", str(client.authority)),
            *("--tls-cert", str(client.certificate), "--tls-key", str(client.key)),
            *("--from", "one@example.test", "--to", "two@example.test", "--data", "-"),
            stdin=message().as_bytes(),
        )
        self.arrived()
        self.assert_all_served(1)

    @tried("a mail that looks like commands is delivered", "curl", "aiosmtpd")
    def test_by_curl(self) -> None:
        client = certificates().client
        self.run_command(
            *(program("curl", "curl"), "--silent", "--show-error", "--ssl-reqd"),
            f"smtp://localhost:{self.port}/client.example.test",
            *("--cacert", str(client.authority), "--cert", str(client.certificate)),
            *("--key", str(client.key), "--mail-from", "one@example.test"),
            *("--mail-rcpt", "two@example.test", "--upload-file", "-"),
            stdin=message().as_bytes(policy=email.policy.SMTP),
        )
        self.arrived()
        self.assert_all_closed_cleanly(1)


class LmtpTests(DovecotCase):
    @tried(
        "two mails to two recipients each, and a reply to each",
        "smtplib",
        "Dovecot",
    )
    def test_a_dovecot_answers_for_each_recipient(self) -> None:
        behind = self.dovecot(also=("lmtp",))["lmtp"]
        for mode in ("starttls", "pair"):
            port = self.proxy("lmtp", behind, f"--mode={mode}")
            with smtplib.LMTP("localhost", port) as client:
                client.starttls(context=client_context())
                client.ehlo()
                # A count of replies that is wrong after the first mail would show in the second.
                for _ in range(2):
                    client.mail("one@example.test")
                    client.putcmd("RCPT", "TO:without brackets")
                    self.assertEqual(client.getreply()[0], 501)
                    for recipient in ("one", "two"):
                        self.assertEqual(client.rcpt(recipient)[0], 250)
                    replies = [client.data(message().as_bytes()), client.getreply()]
                    for (code, text), name in zip(replies, (b"<one>", b"<two>"), strict=True):
                        self.assertEqual(code, 250)
                        self.assertIn(name, text)
                self.assertEqual(client.noop()[0], 250)
            self.assert_all_served(1)


class ABackendThatOffersTLSItself(SmtpBackendCase):
    def setUp(self) -> None:
        super().setUp()
        self.backend, behind = ScriptedServer.start(
            self,
            b"220-backend.example.test\r\n220 ready\r\n",
            {
                b"EHLO": b"250-backend.example.test\r\n250-STARTTLS\r\n250-SIZE 99\r\n"
                b"250 STARTTLS\r\n",
                b"STARTTLS": b"220 Ready\r\n",
                b"QUIT": b"221 Bye\r\n",
            },
            b"502 5.5.1 Not implemented\r\n",
        )
        self.port = self.proxy("smtp", behind)

    @tried("a backend's own `STARTTLS` is not offered, and refused", "smtplib")
    def test_is_not_offered_and_a_second_starttls_is_refused_by_the_backend(self) -> None:
        with smtplib.SMTP("localhost", self.port) as client:
            client.starttls(context=client_context())
            self.assertEqual(client.ehlo(), (250, b"backend.example.test\nSIZE 99"))
            self.assertEqual(client.esmtp_features, {"size": "99"})
            self.assertEqual(client.docmd("STARTTLS"), (502, b"5.5.1 Not implemented"))
        self.assertNotIn(b"STARTTLS\r\n", self.backend.received)
        self.assert_all_served(1)


class Refused(SmtpBackendCase):
    @tried("a mail without TLS is refused", "smtplib", "aiosmtpd")
    def test_mail_without_tls_is_refused(self) -> None:
        mailbox, behind = self.aiosmtpd()
        with smtplib.SMTP("localhost", self.proxy("smtp", behind)) as client:
            error = self.assertRaises(smtplib.SMTPSenderRefused, client.send_message, message())
        self.assertEqual(error.smtp_code, 530)
        self.assertEqual(mailbox.contents, [])
        self.assertIn("1 connections, 0 secured", self.summary(self.running))

    @tried("the client of a backend that greets with 421 is told 421", "smtplib")
    def test_the_client_of_a_busy_backend_is_told(self) -> None:
        _, behind = ScriptedServer.start(self, b"421 Too busy\r\n", {}, b"")
        client = smtplib.SMTP("localhost", self.proxy("smtp", behind))
        self.addCleanup(client.close)
        client.starttls(context=client_context())
        code, text = client.ehlo()
        self.assertEqual((code, text.partition(b" ")[0]), (421, b"4.3.2"))
        self.assertIn("421 Too busy", self.running.wait_for_line(" failed: .*").string)
