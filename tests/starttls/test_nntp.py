from __future__ import annotations

from tests.starttls import line_contract as contracts
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.nntp import NntpClient, NntpServer


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            NntpClient,
            NntpServer,
            """
            S: 200 tlsdemo
            C: CAPABILITIES
            S: 101 Capability list:
            S: VERSION 2
            S: STARTTLS
            S: .
            C: STARTTLS
            S: 382 Continue with TLS negotiation
            S* TLS
            C* TLS
            """,
        )


class ServerTests(contracts.Server):
    negotiation = NntpServer
    before = "S: 200 tlsdemo"
    request = "STARTTLS"
    go_ahead = "382 Continue with TLS negotiation"
    last_line = "400 Plain bytes where TLS was to start"

    def test_serves_few_commands_before_tls(self) -> None:
        self.check(
            NntpServer(),
            """
            S: 200 tlsdemo
            C: Capabilities AUTOUPDATE
            S: 101 Capability list:
            S: VERSION 2
            S: STARTTLS
            S: .
            C: MODE READER
            S: 483 Say STARTTLS first
            C: AUTHINFO USER somebody
            S: 483 Say STARTTLS first
            C: STARTTLS now
            S: 501 STARTTLS has no arguments
            C: QUIT
            S: 205 Bye
            S* probe: the client sent QUIT
            """,
        )


class ClientTests(contracts.Client):
    negotiation = NntpClient
    before = """
        S: 201 news.example
        C: CAPABILITIES
        S: 101 Capability list:
        S: VERSION 2
        S: starttls
        S: READER
        S: .
        """
    request = "STARTTLS"
    go_ahead = "382 Continue"
    last_line = "QUIT"

    def test_refuses_a_server_that_sends_no_proper_greeting(self) -> None:
        for greeting in ("400 Not now", "502 Not you", "200x", "200-", "20", "STARTTLS", "."):
            self.check(
                NntpClient(),
                f"""
                S: {greeting}
                C: QUIT
                C* peer refused TLS: the server's greeting is '{greeting}'
                """,
            )

    def test_quits_when_starttls_is_not_offered(self) -> None:
        for offer in ("READER", "XSTARTTLS", "STARTTLSX", "LIST STARTTLS", "..", "382", "101"):
            self.check(
                NntpClient(),
                f"""
                S: 200 news.example
                C: CAPABILITIES
                S: 101 Capability list:
                S: {offer}
                S: .
                C: QUIT
                C* peer offers no TLS: the server does not offer STARTTLS
                """,
            )

    def test_quits_when_the_list_of_capabilities_is_refused(self) -> None:
        refused = "peer refused TLS"
        causes = {"500 What?": "peer offers no TLS", "480 No": refused, "STARTTLS": refused}
        for answer, cause in causes.items():
            self.check(
                NntpClient(),
                f"""
                S: 200 news.example
                C: CAPABILITIES
                S: {answer}
                C: QUIT
                C* {cause}: the server answered CAPABILITIES with '{answer}'
                """,
            )

    def test_quits_when_starttls_is_refused(self) -> None:
        for answer in ("580 Can not", "502 No", "483", "382x", "382-", "STARTTLS", "."):
            self.check(
                NntpClient(),
                f"""
                {self.before}
                C: STARTTLS
                S: {answer}
                C: QUIT
                C* peer refused TLS: the server answered STARTTLS with '{answer}'
                """,
            )
