from __future__ import annotations

from tests.starttls import line_contract as contracts
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.pop3 import Pop3Client, Pop3Server


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            Pop3Client,
            Pop3Server,
            """
            S: +OK tlsdemo
            C: CAPA
            S: +OK Capability list follows
            S: STLS
            S: .
            C: STLS
            S: +OK Begin TLS negotiation now
            S* TLS
            C* TLS
            """,
        )


class ServerTests(contracts.Server):
    negotiation = Pop3Server
    before = "S: +OK tlsdemo"
    request = "STLS"
    go_ahead = "+OK Begin TLS negotiation now"
    last_line = "-ERR Plain bytes where TLS was to start"

    def test_serves_few_commands_before_tls(self) -> None:
        self.check(
            Pop3Server(),
            """
            S: +OK tlsdemo
            C: capa
            S: +OK Capability list follows
            S: STLS
            S: .
            C: USER somebody
            S: -ERR Say STLS first
            C: AUTH PLAIN
            S: -ERR Say STLS first
            C: STLS now
            S: -ERR STLS has no arguments
            C: QUIT
            S: +OK Bye
            S* probe: the client sent QUIT
            """,
        )


class ClientTests(contracts.Client):
    negotiation = Pop3Client
    before = """
        S: +OK mail.example <1.2@mail.example>
        C: CAPA
        S: +OK
        S: USER
        S: stls
        S: SASL PLAIN
        S: .
        """
    request = "STLS"
    go_ahead = "+OK Begin"
    last_line = "QUIT"

    def test_refuses_a_server_that_sends_no_proper_greeting(self) -> None:
        for greeting in ("-ERR Busy", "+ok", "+OKAY", "* OK", "STLS", ".", ""):
            self.check(
                Pop3Client(),
                f"""
                S: {greeting}
                C: QUIT
                C* peer refused TLS: the server's greeting is '{greeting}'
                """,
            )

    def test_quits_when_stls_is_not_offered(self) -> None:
        for offer in ("USER", "XSTLS", "STLSX", "SASL STLS", "..", ". ", "+OK", "-ERR"):
            self.check(
                Pop3Client(),
                f"""
                S: +OK mail.example
                C: CAPA
                S: +OK
                S: {offer}
                S: .
                C: QUIT
                C* peer offers no TLS: the server does not offer STLS
                """.replace(". \n", ".\\x20\n"),
            )

    def test_quits_when_the_list_of_capabilities_is_refused(self) -> None:
        causes = {
            "-ERR What?": "peer offers no TLS",
            "STLS": "peer refused TLS",
            ".": "peer refused TLS",
        }
        for answer, cause in causes.items():
            self.check(
                Pop3Client(),
                f"""
                S: +OK mail.example
                C: CAPA
                S: {answer}
                C: QUIT
                C* {cause}: the server answered CAPA with '{answer}'
                """,
            )

    def test_quits_when_stls_is_refused(self) -> None:
        for answer in ("-ERR No", "+ok", "+OKAY", "STLS", "."):
            self.check(
                Pop3Client(),
                f"""
                {self.before}
                C: STLS
                S: {answer}
                C: QUIT
                C* peer refused TLS: the server answered STLS with '{answer}'
                """,
            )

    def test_limits_a_list_of_capabilities(self) -> None:
        for offer in ("USER", "STLS"):
            negotiation = Pop3Client(max_plain=1000)
            self.check_lines(
                negotiation,
                "S: +OK mail.example",
                "C: CAPA",
                "S: +OK",
                f"S: {offer}",
                *["S: USER"] * 200,
                "C: QUIT",
                "C* too much before TLS: more than 1000 bytes before TLS",
            )
