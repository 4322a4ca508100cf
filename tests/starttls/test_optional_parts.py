"""What a protocol allows its peers to send or to omit, and many do not."""

from __future__ import annotations

from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.ftp import FtpClient, FtpServer
from tlsdemo.starttls.imap import ImapClient, ImapServer
from tlsdemo.starttls.nats import NatsClient
from tlsdemo.starttls.negotiation import Negotiation, Switch
from tlsdemo.starttls.nntp import NntpClient, NntpServer
from tlsdemo.starttls.pop3 import Pop3Client, Pop3Server
from tlsdemo.starttls.postgres import PostgresServer
from tlsdemo.starttls.sieve import SieveClient
from tlsdemo.starttls.smtp import LmtpServer, SmtpClient, SmtpServer
from tlsdemo.starttls.xmpp import XmppClient, XmppServer

STREAM = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" version='1.0'%b>"
)
START_TLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


class OptionalPartsTests(TranscriptTestCase):
    def answer(self, server: Negotiation, *commands: bytes) -> bytes:
        """Send ``commands``, none of which may lead to TLS or a refusal; return what is sent."""
        server.start()
        sent = b""
        for command in commands:
            for each in server.receive(command + b"\r\n"):
                self.assertFalse(server.state.final)
                assert not isinstance(each, Switch)
                sent += each.data
        return sent

    def check_secures(self, client: Negotiation, *answers: bytes) -> None:
        """Check that a client starts TLS after these ``answers``, each to what it sends."""
        client.start()
        *_, last = [client.receive(answer + b"\r\n") for answer in answers]
        self.assertEqual(last, [Switch()])

    def test_smtp_noop_has_a_string(self) -> None:
        for server, hello in (
            (SmtpServer(), b"EHLO [192.0.2.1]"),
            (LmtpServer(), b"LHLO [IPv6:::1]"),
        ):
            self.assertEqual(
                self.answer(server, b"NOOP why not", hello, b"noop \x22a b\x22").count(
                    b"250 2.0.0"
                ),
                2,
            )

    def test_smtp_replies_have_no_text_and_keywords_have_parameters(self) -> None:
        self.check_secures(
            SmtpClient(),
            b"220-a\r\n220",
            b"250-a\r\n250-SIZE 99\r\n250-STARTTLS\r\n250 X A=B",
            b"220",
        )

    def test_imap_servers_send_codes_and_untagged_responses_at_any_time(self) -> None:
        self.check_secures(
            ImapClient(),
            b"* OK [CAPABILITY IMAP4rev1] [x] hi",
            b"* OK [ALERT] beware\r\n* CAPABILITY IMAP4rev1 STARTTLS X=Y\r\na1 OK [X] done",
            b"* OK still here\r\na2 OK [Y]",
        )

    def test_imap_tags_are_any_characters_that_are_allowed(self) -> None:
        sent = self.answer(ImapServer(), b"A.1-[x]~ noop", b"1 CAPABILITY")
        self.assertIn(b"\r\nA.1-[x]~ OK NOOP completed\r\n", b"\r\n" + sent)
        self.assertIn(b"\r\n1 OK CAPABILITY completed\r\n", sent)

    def test_pop3_replies_have_no_text_and_capabilities_have_parameters(self) -> None:
        self.check_secures(
            Pop3Client(), b"+OK", b"+OK\r\nSASL PLAIN X\r\nSTLS\r\nIMPLEMENTATION x\r\n.", b"+OK"
        )
        self.assertIn(b"STLS", self.answer(Pop3Server(), b"capa"))

    def test_nntp_capabilities_have_a_keyword_or_parameters(self) -> None:
        self.assertIn(b"STARTTLS", self.answer(NntpServer(), b"CAPABILITIES AUTOUPDATE"))
        self.check_secures(
            NntpClient(), b"201", b"101\r\nVERSION 2 3\r\nSTARTTLS\r\nLIST ACTIVE X\r\n.", b"382"
        )

    def test_ftp_servers_delay_and_explain_and_clients_use_small_letters(self) -> None:
        self.check_secures(
            FtpClient(), b"120 soon\r\n220-a\r\n 220 b\r\nc\r\n220", b"234-a\r\nb\r\n234 c"
        )
        self.assertIn(b"200 OK", self.answer(FtpServer(), b"noop", b"feat"))

    def test_sieve_replies_have_codes_and_capabilities_that_nobody_knows(self) -> None:
        self.check_secures(
            SieveClient(),
            b'"IMPLEMENTATION" "x"\r\n"X-NEW" "y"\r\n"STARTTLS"\r\n"OWNER" "z"\r\nOK (X "y") "hi"',
            b'OK (X) "go"',
        )

    def test_xmpp_streams_have_a_language_and_white_space_and_no_declaration(self) -> None:
        server = XmppServer()
        server.start()
        server.receive(STREAM % b" xml:lang='de' to='a' id='x' other='y'" + b"\r\n \t")
        self.assertEqual(server.receive(START_TLS)[-1], Switch())

    def test_xmpp_features_have_children_that_nobody_knows(self) -> None:
        client = XmppClient()
        client.start()
        unknown = b"<x xmlns='urn:x'><y a='b'>text</y></x>"
        offer = b"<stream:features>" + unknown + START_TLS + unknown + b"</stream:features>"
        client.receive(STREAM % b" xml:lang='en' from='a' id='x'" + offer)
        self.assertEqual(client.receive(START_TLS.replace(b"starttls", b"proceed")), [Switch()])

    def test_postgres_cancel_keys_are_longer_since_version_18(self) -> None:
        key = bytes(260)
        (refuse,) = PostgresServer().receive(
            (len(key) + 8).to_bytes(4, "big") + (80877102).to_bytes(4, "big") + key
        )
        self.assertIn("a CancelRequest in plaintext", str(refuse))

    def test_nats_servers_have_fields_that_nobody_knows(self) -> None:
        info = b'INFO {"new":{"a":[1,null,2.5]},"tls_required":true,"git_commit":"x"}'
        self.check_secures(NatsClient(), info)
