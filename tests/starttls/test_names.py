from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.starttls.names import Names, host_name
from tlsdemo.starttls.negotiation import Negotiation, Refuse
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.starttls.sieve import SieveServer
from tlsdemo.starttls.sniffing import AutoServer
from tlsdemo.starttls.xmpp import XmppClient

NAMES = Names("mail.example.org", "chat.example.org")


def sent(negotiation: Negotiation, *received: bytes) -> bytes:
    """What is sent in plaintext, from the beginning."""
    commands = negotiation.start()
    for data in received:
        commands += negotiation.receive(data)
    return b"".join(getattr(command, "data", b"") for command in commands)


class NamesTests(SynchronousTestCase):
    def test_of_a_server_are_in_its_greeting(self) -> None:
        for name, greeting in {
            "smtp": b"220 mail.example.org ESMTP\r\n",
            "lmtp": b"220 mail.example.org LMTP\r\n",
            "pop3": b"+OK mail.example.org\r\n",
            "imap": b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] mail.example.org\r\n",
            "nntp": b"200 mail.example.org\r\n",
            "ftp": b"220 mail.example.org\r\n",
        }.items():
            self.assertEqual(sent(DIALECTS[name].server(names=NAMES)), greeting)
            auto = AutoServer(DIALECTS[name].server, names=NAMES)
            self.assertIn(greeting, sent(auto, b"NOOP\r\n"))
        self.assertIn(b'OK "mail.example.org"\r\n', sent(SieveServer(names=NAMES)))

    def test_of_an_smtp_server_are_in_its_offer_and_its_last_reply(self) -> None:
        offer = sent(DIALECTS["smtp"].server(names=NAMES), b"EHLO me\r\n")
        self.assertIn(b"\r\n250-mail.example.org\r\n", offer)
        *_, refuse = DIALECTS["smtp"].server(names=NAMES).receive(b"x" * 3000)
        assert isinstance(refuse, Refuse)
        self.assertTrue(refuse.data.startswith(b"421 4.7.0 mail.example.org closes"))

    def test_of_an_smtp_client_are_in_its_hello(self) -> None:
        for name, hello in (("smtp", b"EHLO"), ("lmtp", b"LHLO")):
            self.assertEqual(
                sent(DIALECTS[name].client(names=NAMES), b"220 a\r\n"),
                hello + b" mail.example.org\r\n",
            )

    def test_of_the_peer_are_what_an_xmpp_client_asks_for(self) -> None:
        self.assertIn(b' to="chat.example.org"', sent(XmppClient(names=NAMES)))
        self.assertIn(b' to="a.example"', sent(XmppClient(names=Names(peer="a.example."))))
        self.assertIn(b' to="a.example"', sent(XmppClient(to="a.example\u3002")))
        self.assertIn(b' to="example.net"', sent(XmppClient(names=NAMES, to="example.net")))
        self.assertIn(b' to="a&lt;b"', sent(XmppClient(names=Names(peer="a<b"))))

    def test_are_accepted_in_every_dialect_and_role(self) -> None:
        for dialect in DIALECTS.values():
            for role in (dialect.server, dialect.client):
                self.assertEqual(role(names=NAMES).state.value, "start")

    def test_are_sent_without_the_dot_that_ends_an_absolute_name(self) -> None:
        self.assertEqual(Names("mail.example.org.").own, "mail.example.org")
        self.assertEqual(host_name("mail.example.org."), "mail.example.org")
        for name in (".", "a.."):
            self.assertRaises(ValueError, Names, name)

    def test_are_host_names_or_address_literals(self) -> None:
        for name in ("a", "mail.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]", "x" * 255):
            self.assertEqual(Names(name).own, name)
        for name in ("", "a b", "a\r\nQUIT", "a\n", "[a", "é", "{tag}", 'a"', "x" * 256):
            self.assertRaises(ValueError, Names, name)
