"""A plain Dovecot behind the proxy; imaplib, poplib and curl before it."""

from __future__ import annotations

import email.policy
import imaplib
import poplib
import zlib

from interop.attempts import tried
from interop.mail import PASSWORD, DovecotCase, message
from interop.peers import client_context, program
from tests.support import certificates

CONTENT = message().as_bytes(policy=email.policy.SMTP)


class MailboxCase(DovecotCase):
    def curl(self, url: str) -> bytes:
        client = certificates().client
        return self.run_command(
            *(program("curl", "curl"), "--silent", "--show-error", "--ssl-reqd", url),
            *("--user", f"demo:{PASSWORD}", "--cacert", str(client.authority)),
            *("--cert", str(client.certificate), "--key", str(client.key)),
        )

    def pop3(self, port: int) -> poplib.POP3:
        client = poplib.POP3("localhost", port)
        self.addCleanup(client.close)
        client.stls(client_context())
        return client

    def imap(self, port: int) -> imaplib.IMAP4:
        client = imaplib.IMAP4("localhost", port)
        self.addCleanup(lambda: client.sock.close())
        self.assertIn("STARTTLS", client.capabilities)
        client.starttls(client_context())
        return client


class Fetched(MailboxCase):
    def setUp(self) -> None:
        super().setUp()
        self.ports = self.dovecot()

    @tried(
        "a mail that looks like commands is appended and fetched, equal to the byte",
        "imaplib",
        "Dovecot",
    )
    def test_by_imaplib_what_it_has_appended_itself(self) -> None:
        for mode in ("starttls", "pair"):
            client = self.imap(self.proxy("imap", self.ports["imap"], f"--mode={mode}"))
            client.login("demo", PASSWORD)
            # A command that is refused before its literal is requested has ended.
            client.send(b"z APPEND Nowhere {5}\r\n")
            self.assertIn(b"z NO ", client.readline())
            self.assertEqual(client.append("INBOX", "", "", CONTENT)[0], "OK")
            _, (count,) = client.select("INBOX")
            assert count is not None
            _, ((_, fetched), _) = client.fetch(count.decode(), "(RFC822)")  # type: ignore[misc]
            self.assertEqual(fetched, CONTENT)
            client.logout()
            self.assert_all_served(1)

    @tried("commands after `COMPRESS DEFLATE`", "imaplib", "Dovecot")
    def test_by_imaplib_compressed(self) -> None:
        for mode in ("starttls", "pair"):
            client = self.imap(self.proxy("imap", self.ports["imap"], f"--mode={mode}"))
            client.login("demo", PASSWORD)
            client.send(b"c COMPRESS DEFLATE\r\n")
            while not (answer := client.readline()).startswith(b"c "):
                pass
            self.assertTrue(answer.startswith(b"c OK"), answer)
            compress, decompress = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
            for command in (b"d SELECT INBOX", b"e CAPABILITY", b"f LOGOUT"):
                client.send(compress.compress(command + b"\r\n"))
                client.send(compress.flush(zlib.Z_SYNC_FLUSH))
                received = b""
                while b"%c OK" % command[0] not in received:
                    data = client.sock.recv(10_000)
                    self.assertTrue(data, received)
                    received += decompress.decompress(data)
            self.assertEqual(client.sock.recv(1), b"")
            client.shutdown()
            self.assert_all_served(1)

    @tried("a mail that looks like commands is fetched, equal to the byte", "curl", "Dovecot")
    def test_by_curl_over_imap(self) -> None:
        self.deliver(CONTENT)
        port = self.proxy("imap", self.ports["imap"])
        self.assertEqual(self.curl(f"imap://localhost:{port}/INBOX;MAILINDEX=1"), CONTENT)
        self.assert_all_closed_cleanly(1)

    @tried("a mail that looks like commands is fetched, equal to the byte", "poplib", "Dovecot")
    def test_by_poplib(self) -> None:
        self.deliver(CONTENT)
        for mode in ("starttls", "pair"):
            port = self.proxy("pop3", self.ports["pop3"], f"--mode={mode}")
            client = self.pop3(port)
            client.user("demo")
            client.pass_(PASSWORD)
            self.assertEqual(client.stat(), (1, len(CONTENT)))
            _, lines, _ = client.retr(1)
            self.assertEqual(b"".join(line + b"\r\n" for line in lines), CONTENT)
            self.assertIn("UIDL", client.capa())
            client.quit()
            self.assert_all_served(1)

    @tried("a mail that looks like commands is fetched, equal to the byte", "curl", "Dovecot")
    def test_by_curl_over_pop3(self) -> None:
        self.deliver(CONTENT)
        port = self.proxy("pop3", self.ports["pop3"])
        self.assertEqual(self.curl(f"pop3://localhost:{port}/1"), CONTENT)
        self.assert_all_closed_cleanly(1)


class ADovecotThatOffersTLSItself(MailboxCase):
    def setUp(self) -> None:
        super().setUp()
        self.ports = self.dovecot(tls=True)

    @tried("a backend's own `STARTTLS` is not offered, and refused", "imaplib", "Dovecot")
    def test_does_not_offer_starttls_through_the_proxy_and_refuses_a_second_one(self) -> None:
        client = self.imap(self.proxy("imap", self.ports["imap"]))
        self.assertIn("IDLE", client.capabilities)
        self.assertNotIn("STARTTLS", client.capabilities)
        self.assertRaises(imaplib.IMAP4.error, client._simple_command, "STARTTLS")
        client.login("demo", PASSWORD)
        self.assertEqual(client.select("INBOX")[0], "OK")
        client.logout()
        self.assert_all_served(1)

    @tried("a backend's own `STLS` is not offered, and refused", "poplib", "Dovecot")
    def test_does_not_offer_stls_through_the_proxy_and_refuses_a_second_one(self) -> None:
        client = self.pop3(self.proxy("pop3", self.ports["pop3"]))
        self.assertIn("UIDL", client.capa())
        self.assertNotIn("STLS", client.capa())
        short_command = client._shortcmd  # type: ignore[attr-defined]
        error = self.assertRaises(poplib.error_proto, short_command, "STLS")
        self.assertIn("-ERR", str(error))
        client.user("demo")
        client.pass_(PASSWORD)
        self.assertEqual(client.stat(), (0, 0))
        client.quit()
        self.assert_all_served(1)

    @tried("`AUTH` and `CAPA` in one packet", "poplib", "Dovecot")
    def test_lists_its_mechanisms_without_confusing_the_count_of_answers(self) -> None:
        client = self.pop3(self.proxy("pop3", self.ports["pop3"]))
        client.sock.sendall(b"AUTH\r\nCAPA\r\n")
        long_response = client._getlongresp  # type: ignore[attr-defined]
        self.assertIn(b"PLAIN", long_response()[1])
        capabilities = long_response()[1]
        self.assertIn(b"UIDL", capabilities)
        self.assertNotIn(b"STLS", capabilities)
        client.quit()
        self.assert_all_served(1)
