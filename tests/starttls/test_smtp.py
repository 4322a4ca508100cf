from __future__ import annotations

from tests.starttls import line_contract as contracts
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.smtp import LmtpClient, LmtpServer, SmtpClient, SmtpServer

FAREWELL = "421 4.7.0 tlsdemo closes: plain bytes where TLS was to start"


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            SmtpClient,
            SmtpServer,
            """
            S: 220 tlsdemo ESMTP
            C: EHLO tlsdemo
            S: 250-tlsdemo
            S: 250-ENHANCEDSTATUSCODES
            S: 250 STARTTLS
            C: STARTTLS
            S: 220 2.0.0 Ready to start TLS
            S* TLS
            C* TLS
            """,
        )

    def test_agree_on_lmtp(self) -> None:
        self.check_conversation(
            LmtpClient,
            LmtpServer,
            """
            S: 220 tlsdemo LMTP
            C: LHLO tlsdemo
            S: 250-tlsdemo
            S: 250-ENHANCEDSTATUSCODES
            S: 250 STARTTLS
            C: STARTTLS
            S: 220 2.0.0 Ready to start TLS
            S* TLS
            C* TLS
            """,
        )

    def test_notice_that_one_of_them_speaks_lmtp(self) -> None:
        self.check_conversation(
            SmtpClient,
            LmtpServer,
            """
            S: 220 tlsdemo LMTP
            C: EHLO tlsdemo
            S: 500 5.5.1 This is LMTP: say LHLO
            C: QUIT
            C* peer offers no TLS: the server answered the hello with \
'500 5.5.1 This is LMTP: say LHLO'
            S: 221 2.0.0 Bye
            S* probe: the client sent QUIT
            """,
        )
        self.check_conversation(
            LmtpClient,
            SmtpServer,
            """
            S: 220 tlsdemo ESMTP
            C: LHLO tlsdemo
            S: 500 5.5.1 This is ESMTP: say EHLO
            C: QUIT
            C* peer offers no TLS: the server answered the hello with \
'500 5.5.1 This is ESMTP: say EHLO'
            S: 221 2.0.0 Bye
            S* probe: the client sent QUIT
            """,
        )


class ServerTests(contracts.Server):
    negotiation = SmtpServer
    before = """
        S: 220 tlsdemo ESMTP
        C: EHLO client.example
        S: 250-tlsdemo
        S: 250-ENHANCEDSTATUSCODES
        S: 250 STARTTLS
        """
    request = "STARTTLS"
    go_ahead = "220 2.0.0 Ready to start TLS"
    last_line = FAREWELL

    def test_serves_few_commands_before_tls(self) -> None:
        self.check(
            SmtpServer(),
            """
            S: 220 tlsdemo ESMTP
            C: EHLO
            S: 501 5.5.4 EHLO needs your name
            C: HELO client.example
            S: 530 5.7.0 Must issue a STARTTLS command first
            C: NOOP
            S: 250 2.0.0 OK
            C: ehlo client.example
            S: 250-tlsdemo
            S: 250-ENHANCEDSTATUSCODES
            S: 250 STARTTLS
            C: MAIL FROM:<a@client.example>
            S: 530 5.7.0 Must issue a STARTTLS command first
            C: AUTH PLAIN AGEAYg==
            S: 530 5.7.0 Must issue a STARTTLS command first
            C: RSET
            S: 530 5.7.0 Must issue a STARTTLS command first
            C: STARTTLS now
            S: 501 5.5.4 STARTTLS has no parameters
            C: NOOP
            S: 250 2.0.0 OK
            C: QUIT
            S: 221 2.0.0 Bye
            S* probe: the client sent QUIT
            """,
        )

    def test_rejects_starttls_before_ehlo(self) -> None:
        self.check(
            SmtpServer(),
            """
            S: 220 tlsdemo ESMTP
            C: STARTTLS
            S: 503 5.5.1 Say EHLO first
            C: HELO client.example
            C: STARTTLS
            S: 530 5.7.0 Must issue a STARTTLS command first
            S: 503 5.5.1 Say EHLO first
            """,
        )

    def test_tolerates_trailing_spaces(self) -> None:
        # RFC 5321, section 4.1.1.
        self.check_after(
            self.server_before_request(),
            "C: STARTTLS  ",
            "S: 220 2.0.0 Ready to start TLS",
            "S* TLS",
        )

    def test_accepts_starttls_at_the_end_of_a_pipeline(self) -> None:
        self.check(
            SmtpServer(),
            """
            S: 220 tlsdemo ESMTP
            C: EHLO client.example
            C: STARTTLS
            S: 250-tlsdemo
            S: 250-ENHANCEDSTATUSCODES
            S: 250 STARTTLS
            S: 220 2.0.0 Ready to start TLS
            S* TLS
            """,
        )


class LmtpServerTests(contracts.Server):
    negotiation = LmtpServer
    before = ServerTests.before.replace("EHLO", "LHLO").replace("ESMTP", "LMTP")
    request = "STARTTLS"
    go_ahead = "220 2.0.0 Ready to start TLS"
    last_line = FAREWELL

    def test_requires_lhlo(self) -> None:
        self.check(
            LmtpServer(),
            """
            S: 220 tlsdemo LMTP
            C: EHLO client.example
            S: 500 5.5.1 This is LMTP: say LHLO
            C: HELO client.example
            S: 500 5.5.1 This is LMTP: say LHLO
            C: LHLO
            S: 501 5.5.4 LHLO needs your name
            """,
        )


class ClientTests(contracts.Client):
    negotiation = SmtpClient
    before = """
        S: 220-mail.example
        S: 220 ESMTP
        C: EHLO tlsdemo
        S: 250-mail.example
        S: 250-starttls
        S: 250 SIZE 1000
        """
    request = "STARTTLS"
    go_ahead = "220 Go ahead"
    last_line = "QUIT"

    def test_finds_the_offer_of_starttls_in_any_line_of_the_reply(self) -> None:
        offers = (
            ["S: 250-mail.example", "S: 250-STARTTLS", "S: 250-SIZE", "S: 250 HELP"],
            ["S: 250-mail.example", "S: 250-STARTTLS", "S: 250-STARTTLS", "S: 250"],
            ["S: 250-mail.example", "S: 250-STARTTLS", "S: 250 STARTTLS"],
            ["S: 250-mail.example", "S: 250 Starttls "],
            ["S: 250 STARTTLS"],
        )
        for offer in offers:
            self.check_lines(
                SmtpClient(),
                "S: 220 mail.example",
                "C: EHLO tlsdemo",
                *offer,
                "C: STARTTLS",
                "S: 220-Go",
                "S: 220 ahead",
                "C* TLS",
            )

    def test_ignores_what_only_looks_like_an_offer(self) -> None:
        for offer in (
            "",
            "STARTTLSX",
            "XSTARTTLS",
            "SIZE STARTTLS",
            "STARTTLS=no",
            "\\x00STARTTLS",
        ):
            self.check(
                SmtpClient(),
                f"""
                S: 220 mail.example
                C: EHLO tlsdemo
                S: 250-mail.example
                S: 250 {offer}
                C: QUIT
                C* peer offers no TLS: the server does not offer STARTTLS
                """,
            )

    def test_refuses_a_server_that_sends_no_proper_greeting(self) -> None:
        for greeting in (
            "554 No service",
            "421 Busy",
            "250 OK",
            "SSH-2.0-x",
            "220x",
            "22",
            "\\xff",
        ):
            self.check(
                SmtpClient(),
                f"""
                S: {greeting}
                C: QUIT
                C* peer refused TLS: the server's greeting is '{greeting}'
                """,
            )

    def test_quits_when_ehlo_is_unknown(self) -> None:
        for answer in ("500 What?", "502 Not implemented"):
            self.check(
                SmtpClient(),
                f"""
                S: 220 mail.example
                C: EHLO tlsdemo
                S: {answer}
                C: QUIT
                C* peer offers no TLS: the server answered the hello with '{answer}'
                """,
            )

    def test_quits_when_ehlo_is_refused(self) -> None:
        for answer in ("550 No", "421 Bye", "220 mail.example", "STARTTLS"):
            for before in ([], ["S: 250-STARTTLS"]):
                self.check_lines(
                    SmtpClient(),
                    "S: 220 mail.example",
                    "C: EHLO tlsdemo",
                    *before,
                    f"S: {answer}",
                    "C: QUIT",
                    f"C* peer refused TLS: the server answered the hello with '{answer}'",
                )

    def test_quits_when_starttls_is_refused(self) -> None:
        for answer in ("454 4.7.0 TLS not available", "501 No", "250 OK", "22O Go", "220\\x00"):
            self.check(
                SmtpClient(),
                f"""
                {self.before}
                C: STARTTLS
                S: {answer}
                C: QUIT
                C* peer refused TLS: the server answered STARTTLS with '{answer}'
                """,
            )

    def test_quotes_only_the_beginning_of_an_answer(self) -> None:
        greeting = "5" * 200
        self.check(
            SmtpClient(),
            f"""
            S: {greeting}
            C: QUIT
            C* peer refused TLS: the server's greeting is '{greeting[:79]}
            """,
        )


class LmtpClientTests(contracts.Client):
    negotiation = LmtpClient
    before = ClientTests.before.replace("EHLO", "LHLO")
    request = "STARTTLS"
    go_ahead = "220 Go ahead"
    last_line = "QUIT"
