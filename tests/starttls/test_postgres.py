from __future__ import annotations

from tests.starttls import binary_contract as binary
from tests.starttls import client_hello_contract
from tests.starttls.transcripts import TranscriptTestCase, unescaped
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import Refuse, Switch
from tlsdemo.starttls.postgres import PostgresClient, PostgresDirectClient, PostgresServer

SSL_REQUEST = r"\x00\x00\x00\x08\x04\xd2\x16/"
GSSENC_REQUEST = r"\x00\x00\x00\x08\x04\xd2\x160"
CANCEL_REQUEST = r"\x00\x00\x00\x10\x04\xd2\x16.\x00\x00\x00\x01\x00\x00\x00\x02"
STARTUP = r"\x00\x00\x00\x10\x00\x03\x00\x00user\x00u\x00\x00"
TLS_REQUIRED = (
    r"E\x00\x00\x00FSFATAL\x00VFATAL\x00C28000\x00"
    r"MTLS is required: sslmode=require or better\x00\x00"
)
UNSUPPORTED = r"E\x00\x00\x009SFATAL\x00VFATAL\x00C0A000\x00Munsupported frontend protocol\x00\x00"
INVALID_LENGTH = (
    r"E\x00\x00\x00<SFATAL\x00VFATAL\x00C08P01\x00Minvalid length of startup packet\x00\x00"
)
INJECTED = (
    r"E\x00\x00\x00GSFATAL\x00VFATAL\x00C08P01\x00"
    r"Mreceived unencrypted data after SSL request\x00\x00"
)


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            PostgresClient,
            PostgresServer,
            rf"""
            C+ {SSL_REQUEST}
            S+ S
            S* TLS
            C* TLS
            """,
        )


class ServerTests(binary.Server):
    negotiation = PostgresServer
    sent = (bytes.fromhex("00000008 04d2162f"),)
    key = sent[0]
    others = (bytes.fromhex("00000008 04d21630"), bytes.fromhex("00000009 00030000 00"))

    def check_switched_only_with_key(self, pieces: list[bytes]) -> None:
        if pieces[:1] and pieces[0][:1] == b"\x16":
            self.assertEqual(self.fed(pieces), [Switch(leftover=pieces[0], alpn=b"postgresql")])
        else:
            super().check_switched_only_with_key(pieces)

    def test_rejects_gssapi_and_waits_for_another_request(self) -> None:
        self.check(
            PostgresServer(),
            rf"""
            C+ {GSSENC_REQUEST}
            S+ N
            C+ {SSL_REQUEST}
            S+ S
            S* TLS
            """,
        )
        self.check(
            PostgresServer(),
            rf"""
            C+ {GSSENC_REQUEST}
            S+ N
            C+ {STARTUP}
            S+ {TLS_REQUIRED}
            S* plain bytes instead of TLS: a StartupMessage in plaintext
            """,
        )

    def test_rejects_gssapi_only_once(self) -> None:
        self.check(
            PostgresServer(),
            rf"""
            C+ {GSSENC_REQUEST}
            S+ N
            C+ {GSSENC_REQUEST}
            S+ {UNSUPPORTED}
            S* protocol error: an unexpected packet begins with '\x00\x00\x00\x08\x04\xd2\x160'
            """,
        )

    def test_rejects_a_startup_message_or_a_cancel_request_in_plaintext(self) -> None:
        self.check(
            PostgresServer(),
            rf"""
            C+ {STARTUP}
            S+ {TLS_REQUIRED}
            S* plain bytes instead of TLS: a StartupMessage in plaintext
            """,
        )
        self.check(
            PostgresServer(),
            rf"""
            C+ {CANCEL_REQUEST}
            S+ {TLS_REQUIRED}
            S* plain bytes instead of TLS: a CancelRequest in plaintext
            """,
        )

    def test_refuses_unknown_packets(self) -> None:
        for packet in (
            r"\x00\x00\x00\x08\x00\x02\x00\x00",  # version 2 of the protocol
            r"\x00\x00\x00\x08\x04\xd2\x161",
            r"\x00\x00\x00\x09\x04\xd2\x16/x",  # an SSLRequest with something in it
        ):
            negotiation = PostgresServer()
            negotiation.start()
            (refuse,) = negotiation.receive(unescaped(packet))
            assert isinstance(refuse, Refuse)
            self.assertEqual(refuse.cause, Cause.PROTOCOL_ERROR)
            self.assertIn(b"\0C0A000\0Munsupported frontend protocol\0", refuse.data)

    def test_refuses_an_impossible_length_at_once(self) -> None:
        for head in (
            r"\x00\x00\x00\x07",
            r"\x00\x00'\x11",
            r"\x00\x00\x00\x00",
            r"GET\x20",
            "EHLO",
        ):
            self.check(
                PostgresServer(),
                rf"""
                C+ {head}
                S+ {INVALID_LENGTH}
                S* protocol error: no packet begins with {ascii(unescaped(head))[1:]}
                """,
            )

    def test_reads_a_packet_of_the_greatest_length_to_its_end(self) -> None:
        negotiation = PostgresServer()
        self.assertEqual(negotiation.receive(bytes.fromhex("00002710 00030000") + bytes(9991)), [])
        (refuse,) = negotiation.receive(b"\0")
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.PLAINTEXT)

    def test_refuses_a_startup_message_after_the_request(self) -> None:
        self.check(
            PostgresServer(),
            rf"""
            C+ {SSL_REQUEST}
            C+ {STARTUP}
            S+ {INJECTED}
            S* injected plaintext: 16 bytes arrived after the last message before TLS
            """,
        )

    def test_accepts_a_client_hello_and_requires_alpn(self) -> None:
        for hello in (b"\x16", binary.HELLO):
            negotiation = PostgresServer()
            switch = Switch(leftover=hello, alpn=b"postgresql")
            self.assertEqual(negotiation.receive(hello), [switch])

    def test_refuses_a_client_hello_after_another_request(self) -> None:
        self.check(
            PostgresServer(),
            rf"""
            C+ {GSSENC_REQUEST}
            S+ N
            C+ \x16\x03\x01\x02
            S+ {INVALID_LENGTH}
            S* protocol error: no packet begins with '\x16\x03\x01\x02'
            """,
        )


class ClientTests(binary.Client):
    negotiation = PostgresClient
    sent = (b"S",)
    key = sent[0]
    others = (b"N", b"E\0\0\0\x08CX\0\0")

    def check_refuses(self, answer: str, refusal: str) -> None:
        self.check(PostgresClient(), f"C+ {SSL_REQUEST}\nS+ {answer}\nC* {refusal}")

    def test_refuses_a_server_without_tls(self) -> None:
        self.check_refuses("N", "peer offers no TLS: the server answered SSLRequest with N")

    def test_quotes_an_error_of_the_server(self) -> None:
        self.check_refuses(
            r"E\x00\x00\x00\x22SFATAL\x00C53300\x00Mtoo many \x1b[1m\x00\x00",
            r"peer refused TLS: the server answered SSLRequest with '53300 too many \x1b[1m'",
        )

    def test_quotes_an_error_without_a_text(self) -> None:
        self.check_refuses(
            r"E\x00\x00\x00\x05\x00",
            r"peer refused TLS: the server answered SSLRequest with '????? no message'",
        )

    def test_waits_for_the_whole_error(self) -> None:
        negotiation = PostgresClient()
        negotiation.start()
        for piece in (b"E", b"\0\0\0", b"\x08CX", b"\0"):
            self.assertEqual(negotiation.receive(piece), [])
        (refuse,) = negotiation.receive(b"\0")
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.detail, "the server answered SSLRequest with 'X no message'")

    def test_refuses_an_error_of_an_impossible_length(self) -> None:
        for head in (r"E\x00\x00\x00\x04", r"E\x00\x00'\x11", "ERROR"):
            shown = ascii(unescaped(head))[1:]
            self.check_refuses(head, f"peer refused TLS: no ErrorResponse begins with {shown}")

    def test_refuses_every_other_answer(self) -> None:
        for byte in ("s", r"\x00", r"\x16", "R"):
            self.check_refuses(
                byte, f"protocol error: the server answered SSLRequest with '{byte}'"
            )

    def test_accepts_a_single_byte_and_refuses_more(self) -> None:
        self.check_refuses(
            r"SR\x00\x00\x00\x08\x00\x00\x00\x00",
            "injected plaintext: 9 bytes arrived after the last message before TLS",
        )


class DirectServerTests(client_hello_contract.AcceptsClientHello):
    negotiation = PostgresServer
    alpn = b"postgresql"


class DirectClientTests(TranscriptTestCase):
    def test_starts_tls_at_once_and_requires_alpn(self) -> None:
        negotiation = PostgresDirectClient()
        self.assertEqual(negotiation.start(), [Switch(alpn=b"postgresql")])
        self.assertRaises(RuntimeError, negotiation.receive, b"S")
