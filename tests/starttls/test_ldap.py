from __future__ import annotations

from tests.starttls import binary_contract as binary
from tests.starttls.transcripts import TranscriptTestCase, unescaped
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.ldap import LdapClient, LdapServer
from tlsdemo.starttls.negotiation import Refuse, Say, Switch

OID = "1.3.6.1.4.1.1466.20037"
START_TLS = rf"0\x1d\x02\x01\x01w\x18\x80\x16{OID}"
SUCCESS = r"0\x0c\x02\x01\x01x\x07\n\x01\x00\x04\x00\x04\x00"
TLS_FIRST = r"\n\x01\r\x04\x00\x04\x14StartTLS comes first"
DISCONNECTION = (
    r"02\x02\x01\x00x-\n\x01\x02\x04\x00\x04\x0eprotocol error\x8a\x161.3.6.1.4.1.1466.20036"
)
UNBIND = r"0\x05\x02\x01\x02B\x00"


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            LdapClient,
            LdapServer,
            rf"""
            C+ {START_TLS}
            S+ {SUCCESS}
            S* TLS
            C* TLS
            """,
        )


class ServerTests(binary.Server):
    negotiation = LdapServer
    sent = (unescaped(START_TLS),)
    key = OID.encode()
    others = (unescaped(r"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00"), unescaped(UNBIND))

    def check_disconnects(self, message: str, why: str) -> None:
        self.check(
            LdapServer(), f"C+ {message}\nS+ {DISCONNECTION}\nS* protocol error: not LDAP: '{why}'"
        )

    def test_rejects_every_other_operation_before_tls(self) -> None:
        self.check(
            LdapServer(),
            rf"""
            C+ 0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00
            S+ 0 \x02\x01\x01a\x1b{TLS_FIRST}
            C+ 0\x06\x02\x01\x02c\x01x
            S+ 0 \x02\x01\x02e\x1b{TLS_FIRST}
            C+ 0\x1d\x02\x01\x03w\x18\x80\x16{OID}
            S+ 0\x0c\x02\x01\x03x\x07\n\x01\x00\x04\x00\x04\x00
            S* TLS
            """,
        )

    def test_answers_each_request_with_its_own_response(self) -> None:
        pairs = {0x4A: 0x6B, 0x60: 0x61, 0x63: 0x65, 0x66: 0x67, 0x68: 0x69, 0x6C: 0x6D, 0x6E: 0x6F}
        for request, response in pairs.items():
            (say,) = LdapServer().receive(bytes([0x30, 5, 2, 1, 7, request, 0]))
            expected = b"0 \2\1\7" + bytes([response, 27]) + unescaped(TLS_FIRST)
            self.assertEqual(say, Say(expected))

    def test_does_not_answer_abandon(self) -> None:
        self.assertEqual(LdapServer().receive(unescaped(r"0\x06\x02\x01\x02P\x01\x01")), [])

    def test_closes_after_unbind(self) -> None:
        self.check(LdapServer(), f"C+ {UNBIND}\nS* probe: the client sent UnbindRequest")

    def test_rejects_every_other_extended_operation(self) -> None:
        for content in (
            rf"\x80\x16{OID[:-1]}8",
            r"\x80\x00",
            rf"\x80\x16{OID}\x81\x00",  # a value, which StartTLS has not
            rf"\x81\x16{OID}",
            "",
        ):
            operation = bytes([0x77, len(unescaped(content))]) + unescaped(content)
            message = bytes([0x30, 3 + len(operation)]) + b"\2\1\1" + operation
            (say,) = LdapServer().receive(message)
            text = b"\x0a\1\2\4\0\4\x1aonly StartTLS is supported"
            self.assertEqual(say, Say(b"0&\2\1\1x!" + text))

    def with_controls(self, *controls: str) -> str:
        """The request, with these contents of controls."""
        each = [unescaped(control) for control in controls]
        content = b"".join(b"0" + bytes([len(control)]) + control for control in each)
        operation = unescaped(rf"\x02\x01\x01w\x18\x80\x16{OID}")
        message = operation + b"\xa0" + bytes([len(content)]) + content
        return "".join(rf"\x{byte:02x}" for byte in b"0" + bytes([len(message)]) + message)

    def test_ignores_controls_that_are_not_critical(self) -> None:
        # The second is ManageDsaIT, which Java's JNDI sends with every request.
        for controls in (
            (),
            (r"\x04\x172.16.840.1.113730.3.4.2",),
            (r"\x04\x011\x01\x01\x00\x04\x05value", r"\x04\x011\x04\x05value"),
        ):
            message = self.with_controls(*controls)
            self.check(LdapServer(), f"C+ {message}\nS+ {SUCCESS}\nS* TLS")

    def test_rejects_start_tls_with_a_critical_control(self) -> None:
        for criticality in (r"\x01\x01\xff", r"\x01\x01\x01"):
            message = self.with_controls(r"\x04\x011", rf"\x04\x011{criticality}\x04\x00")
            self.check(
                LdapServer(),
                rf"""
                C+ {message}
                S+ 0$\x02\x01\x01x\x1f\n\x01\x0c\x04\x00\x04\x18no control is recognized
                """,
            )

    def test_refuses_start_tls_with_a_malformed_control(self) -> None:
        for control in ("", r"\x01\x01\xff", r"\x04\x011\x01\x00", r"\x04\x011\x02\x01\x00"):
            self.check_disconnects(self.with_controls(control), "a control is malformed")
        message = rf"0!\x02\x01\x01w\x18\x80\x16{OID}\xa0\x02\x04\x00"
        self.check_disconnects(message, "a control is malformed")

    def test_repeats_a_message_number_of_any_size(self) -> None:
        for number in (r"\x01\x7f", r"\x02\x00\x80", r"\x04\x7f\xff\xff\xff"):
            extra = len(unescaped(number)) - 2
            text = rf"\x02{number}w\x18\x80\x16{OID}"
            answer = rf"\x02{number}x\x07\n\x01\x00\x04\x00\x04\x00"
            (say, switch) = LdapServer().receive(bytes([0x30, 29 + extra]) + unescaped(text))
            self.assertEqual(say, Say(bytes([0x30, 12 + extra]) + unescaped(answer)))
            self.assertEqual(switch, Switch())

    def test_accepts_a_length_of_up_to_four_octets(self) -> None:
        for length in (r"\x81\x1d", r"\x82\x00\x1d", r"\x83\x00\x00\x1d", r"\x84\x00\x00\x00\x1d"):
            self.check(
                LdapServer(),
                rf"""
                C+ 0{length}\x02\x01\x01w\x18\x80\x16{OID}
                S+ {SUCCESS}
                S* TLS
                """,
            )

    def test_waits_for_the_rest_of_a_length(self) -> None:
        for size in range(6):
            self.assertEqual(LdapServer().receive(b"0\x84\0\0\0\x1d"[:size]), [])

    def test_refuses_every_other_length(self) -> None:
        self.check_disconnects(r"0\x80", "a length begins with 0x80")
        self.check_disconnects(r"0\x85", "a length begins with 0x85")
        self.check_disconnects(r"0\xff", "a length begins with 0xff")

    def test_limits_a_message(self) -> None:
        self.assertEqual(LdapServer().receive(b"0\x82\x3f\xfc" + bytes(0x3FFB)), [])
        self.check(
            LdapServer(),
            rf"""
            C+ 0\x82?\xfd
            S+ {DISCONNECTION}
            S* too much before TLS: a message of '16385' bytes
            """,
        )

    def test_refuses_everything_else_as_malformed(self) -> None:
        self.check_disconnects("GET", "a message begins with 0x47")
        self.check_disconnects(r"\x16\x03\x01", "a message begins with 0x16")
        self.check_disconnects(
            r"0\x05\x02\x01\x01w\x01", "an element is longer than the one that contains it"
        )
        self.check_disconnects(
            r"0\x04\x02\x01\x01w", "an element is longer than the one that contains it"
        )
        parts = "a message is not a number, an operation and optional controls"
        for message in (
            r"0\x00",
            r"0\x03\x02\x01\x01",
            r"0\x05\x04\x01\x01w\x00",
            r"0\x07\x02\x01\x01w\x00\xa1\x00",
            r"0\x09\x02\x01\x01w\x00\xa0\x00\xa0\x00",
        ):
            self.check_disconnects(message, parts)

    def test_refuses_a_number_out_of_range(self) -> None:
        for message in (
            r"0\x04\x02\x00w\x00",
            r"0\x05\x02\x01\xffw\x00",
            r"0\x06\x02\x02\x00\x01w\x00",
            r"0\x08\x02\x04\x80\x00\x00\x00w\x00",
            r"0\x09\x02\x05\x01\x00\x00\x00\x00w\x00",
        ):
            self.check_disconnects(message, "a number is out of range")
        self.check_disconnects(r"0\x05\x02\x01\x00w\x00", "message 0 has an operation of tag 0x77")

    def test_refuses_a_response_in_place_of_a_request(self) -> None:
        self.check_disconnects(SUCCESS, "message 1 has an operation of tag 0x78")

    def test_limits_the_number_of_elements(self) -> None:
        elements = r"\x80\x00" * 17
        self.check_disconnects(rf"0'\x02\x01\x01w\x22{elements}", "too many elements")
        (say,) = LdapServer().receive(unescaped(rf"0'\x02\x01\x01c\x22{elements}"))
        self.assertIsInstance(say, Say)

    def test_refuses_a_bind_after_the_request(self) -> None:
        self.check(
            LdapServer(),
            rf"""
            C+ {START_TLS}
            C+ 0\x0c\x02\x01\x02`\x07\x02\x01\x03\x04\x00\x80\x00
            S+ {DISCONNECTION}
            S* injected plaintext: 14 bytes arrived after the last message before TLS
            """,
        )


class ClientTests(binary.Client):
    negotiation = LdapClient
    sent = (unescaped(SUCCESS),)
    key = b"\x0a\1\0"
    others = (
        unescaped(r"0\x0c\x02\x01\x01x\x07\n\x01\x02\x04\x00\x04\x00"),
        unescaped(DISCONNECTION),
    )

    def check_refuses(self, answer: str, refusal: str) -> None:
        self.check(LdapClient(), f"C+ {START_TLS}\nS+ {answer}\nC* {refusal}")

    def check_refuses_answer(self, answer: str, why: str) -> None:
        self.check_refuses(answer, f"protocol error: no answer to StartTLS: '{why}'")

    def test_accepts_an_answer_with_the_name_of_start_tls_or_none(self) -> None:
        self.check(
            LdapClient(),
            rf"""
            C+ {START_TLS}
            S+ 0$\x02\x01\x01x\x1f\n\x01\x00\x04\x00\x04\x00\x8a\x16{OID}
            C* TLS
            """,
        )
        self.check_refuses(
            r"0\x0f\x02\x01\x01x\n\n\x01\x00\x04\x00\x04\x00\x8a\x011",
            "protocol error: the server sent message '1', of name '1'",
        )

    def test_quotes_a_refusal(self) -> None:
        self.check_refuses(
            r"0*\x02\x01\x01x%\n\x01\x02\x04\x00\x04\x1eunsupported extended operation",
            "peer refused TLS: the server answered StartTLS with "
            "'2 unsupported extended operation'",
        )
        self.check_refuses(
            r"0\x11\x02\x01\x01x\x0c\n\x014\x04\x00\x04\x00\xa3\x03\x04\x01x",
            "peer refused TLS: the server answered StartTLS with '52 '",
        )

    def test_ignores_controls_and_a_referral_of_the_answer(self) -> None:
        referral, controls = r"\xa3\x03\x04\x01x", r"\xa0\x050\x03\x04\x011"
        result = rf"x\x0c\n\x01\x00\x04\x00\x04\x00{referral}"
        answer = rf"0\x18\x02\x01\x01{result}{controls}"
        self.check(LdapClient(), f"C+ {START_TLS}\nS+ {answer}\nC* TLS")

    def test_ignores_other_unsolicited_notifications(self) -> None:
        notification = r"0\x0f\x02\x01\x00x\n\n\x01\x00\x04\x00\x04\x00\x8a\x011"
        self.check(LdapClient(), f"C+ {START_TLS}\nS+ {notification}\nS+ {SUCCESS}\nC* TLS")

    def test_quotes_a_notice_of_disconnection(self) -> None:
        self.check_refuses(
            DISCONNECTION, "peer refused TLS: the server disconnects, with '2 protocol error'"
        )

    def test_refuses_an_answer_to_another_request(self) -> None:
        for number in (0, 2, 127):
            self.check_refuses(
                rf"0\x0c\x02\x01\x{number:02x}x\x07\n\x01\x00\x04\x00\x04\x00",
                f"protocol error: the server sent message '{number}', of name ''",
            )

    def test_refuses_everything_else_as_an_answer(self) -> None:
        no_result = "an operation of tag {}, or one without a result"
        self.check_refuses_answer(
            r"0\x0c\x02\x01\x01a\x07\n\x01\x00\x04\x00\x04\x00", no_result.format("0x61")
        )
        self.check_refuses_answer(START_TLS, no_result.format("0x77"))
        self.check_refuses_answer(
            r"0\n\x02\x01\x01x\x05\n\x01\x00\x04\x00", no_result.format("0x78")
        )
        self.check_refuses_answer(
            r"0\x0c\x02\x01\x01x\x07\x02\x01\x00\x04\x00\x04\x00", no_result.format("0x78")
        )
        self.check_refuses_answer("220 ldap.example.org", "a message begins with 0x32")

    def test_refuses_an_empty_result_code(self) -> None:
        self.check_refuses_answer(
            r"0\x0b\x02\x01\x01x\x06\n\x00\x04\x00\x04\x00", "a number is out of range"
        )

    def test_limits_a_message(self) -> None:
        self.check_refuses(
            r"0\x84\xff\xff\xff\xff", "too much before TLS: a message of '4294967301' bytes"
        )

    def test_refuses_a_result_code_that_is_too_long(self) -> None:
        negotiation = LdapClient()
        negotiation.start()
        code = b"\x0a\x82\x20\0" + b"\1" * 0x2000 + b"\4\0\4\0"
        operation = b"x\x82" + len(code).to_bytes(2, "big") + code
        content = b"\2\1\1" + operation
        (refuse,) = negotiation.receive(b"0\x82" + len(content).to_bytes(2, "big") + content)
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.PROTOCOL_ERROR)
