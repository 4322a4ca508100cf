from __future__ import annotations

from tests.starttls import binary_contract as binary
from tests.starttls.transcripts import TranscriptTestCase, unescaped
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.mysql import SCRAMBLE, MysqlClient, MysqlServer
from tlsdemo.starttls.negotiation import Refuse, Say, Switch

GREETING = (
    r"Q\x00\x00\x00\n8.0.0-tlsdemo\x00\x01\x00\x00\x00no secre\x00\x01\xaa!\x02\x00\x08\x00\x15"
    r"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00t, no random\x00mysql_native_password\x00"
)
SSL_REQUEST = r" \x00\x00\x01\x01\xaa\x08\x00\x00\x00\x00\x01!" + r"\x00" * 23
RESPONSE_BODY = r"\xa2\x08\x00\x00\x00\x00\x01!" + r"\x00" * 23 + r"user\x00\x03pwd"
BAD_HANDSHAKE = r"'\x00\x00\x02\xff\x13\x04#08S01Bad handshake: TLS is required"


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            MysqlClient,
            MysqlServer,
            rf"""
            S+ {GREETING}
            C+ {SSL_REQUEST}
            C* TLS
            S* TLS
            """,
        )


class ServerTests(binary.Server):
    negotiation = MysqlServer
    sent = (unescaped(SSL_REQUEST),)
    key = b" \0\0\1"
    others = (b"\5\0\0\1\1\2\0\0\0", b" \0\0\2")

    def check_refuses(self, packet: str, error: str, refusal: str) -> None:
        self.check(MysqlServer(), f"S+ {GREETING}\nC+ {packet}\nS+ {error}\nS* {refusal}")

    def test_rejects_a_handshake_response_in_plaintext(self) -> None:
        self.check_refuses(
            r"(\x00\x00\x01\x01" + RESPONSE_BODY,
            r"<\x00\x00\x02\xffW\x0c#HY000Connections using insecure transport are prohibited",
            "plain bytes instead of TLS: a HandshakeResponse in plaintext",
        )

    def test_accepts_no_other_packet_as_a_request(self) -> None:
        """A client that announces TLS, but does not wait for it with its password."""
        for packet in (
            r"(\x00\x00\x01\x01" + RESPONSE_BODY.replace(r"\xa2", r"\xaa"),
            r"\x05\x00\x00\x01\x01\x0a\x00\x00\x00",  # the request of protocols before 4.1
            r"\x20\x00\x00\x01\x01\x08" + r"\x00" * 30,
            r"\x02\x00\x00\x01\x00\x00",
        ):
            self.check_refuses(
                packet,
                BAD_HANDSHAKE,
                "protocol error: the client's first packet is no SSLRequest",
            )

    def test_refuses_a_packet_out_of_order(self) -> None:
        for number in (0, 2, 255):
            self.check_refuses(
                rf"\x20\x00\x00\x{number:02x}",
                r"!\x00\x00\x02\xff\x84\x04#08S01Got packets out of order",
                f"protocol error: the client's first packet has sequence number '{number}'",
            )

    def test_refuses_an_impossible_length_at_once(self) -> None:
        for head in (r"\x00\x00\x00\x01", r"\x01@\x00\x01", r"\x16\x03\x01\x02", "EHLO"):
            self.check_refuses(
                head,
                BAD_HANDSHAKE,
                f"protocol error: no packet begins with {ascii(unescaped(head))[1:]}",
            )

    def test_reads_a_packet_of_the_greatest_length_to_its_end(self) -> None:
        negotiation = MysqlServer()
        negotiation.start()
        self.assertEqual(negotiation.receive(b"\0\x40\0\1" + bytes(16383)), [])
        (refuse,) = negotiation.receive(b"\0")
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.PLAINTEXT)

    def test_refuses_a_response_after_the_request(self) -> None:
        self.check(
            MysqlServer(),
            rf"""
            S+ {GREETING}
            C+ {SSL_REQUEST}
            C+ (\x00\x00\x02\x01{RESPONSE_BODY}
            S+ {BAD_HANDSHAKE}
            S* injected plaintext: 45 bytes arrived after the last message before TLS
            """,
        )

    def test_sends_the_scramble_that_it_was_given(self) -> None:
        scramble = bytes(range(1, 21))
        (say,) = MysqlServer(scramble=scramble).start()
        assert isinstance(say, Say)
        self.assertIn(scramble[:8] + b"\0", say.data)
        self.assertIn(scramble[8:] + b"\0mysql_native_password\0", say.data)

    def test_requires_a_scramble_of_twenty_bytes_without_a_zero(self) -> None:
        for scramble in (b"", SCRAMBLE[1:], SCRAMBLE + b"x", SCRAMBLE[1:] + b"\0"):
            self.assertRaises(ValueError, MysqlServer, scramble=scramble)


class ClientTests(binary.Client):
    negotiation = MysqlClient
    sent = (unescaped(GREETING),)
    key = b"\0\0\0\x0a"
    others = (b"\3\0\0\0\xff\x10\4", b"\x14\0\0\0\x0a8\0" + bytes(17))

    def check_refuses(self, packet: str, refusal: str) -> None:
        self.check(MysqlClient(), f"S+ {packet}\nC* {refusal}")

    def test_understands_the_greeting_of_a_real_server(self) -> None:
        self.check(
            MysqlClient(),
            rf"""
            S+ d\x00\x00\x00\n5.5.5-10.11.19-MariaDB-0+deb12u1\x00\x03\x00\x00\x00zsOroWD/\x00
            S+ \xfe\xff\x08\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x00
            S+ [`NGYg}}]9F5s\x00mysql_native_password\x00
            C+ {SSL_REQUEST}
            C* TLS
            """,
        )

    def test_refuses_a_server_without_tls(self) -> None:
        self.check_refuses(
            GREETING.replace(r"\xaa!", r"\xa2!"),
            "peer offers no TLS: the server's greeting does not offer TLS",
        )

    def test_quotes_an_error_of_the_server(self) -> None:
        for packet in (
            r"\x17\x00\x00\x00\xff\x10\x04Too many connections",
            r"\x1d\x00\x00\x00\xff\x10\x04#08004Too many connections",
        ):
            self.check_refuses(
                packet,
                "peer refused TLS: the server greets with the error '1040 Too many connections'",
            )

    def test_refuses_every_other_greeting(self) -> None:
        for packet in (
            GREETING.replace(r"\n8", r"\t8"),
            r"\x02\x00\x00\x00\xff\x10",
            r"\x01\x00\x00\x00\n",
            r"\x05\x00\x00\x00\n8.0.",
            r"\x0f\x00\x00\x00\n8\x00" + r"\xff" * 12,
            r"\x11\x00\x00\x00\n8\x00" + r"\xff" * 14,
        ):
            self.check_refuses(
                packet, "protocol error: the server's first packet is no HandshakeV10"
            )

    def test_refuses_a_packet_out_of_order(self) -> None:
        self.check_refuses(
            r"\x20\x00\x00\x01",
            "protocol error: the server's first packet has sequence number '1'",
        )

    def test_refuses_an_impossible_length_at_once(self) -> None:
        for head in ("220 ", "SSH-", r"\x00\x00\x00\x00"):
            shown = ascii(unescaped(head))[1:]
            self.check_refuses(
                head.replace(" ", r"\x20"), f"protocol error: no packet begins with {shown}"
            )

    def test_refuses_a_tls_record_that_arrives_with_the_greeting(self) -> None:
        commands = self.fed([self.whole + binary.HELLO])
        (refuse,) = commands
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.INJECTED_PLAINTEXT)
        self.assertNotIn(Switch(), commands)
