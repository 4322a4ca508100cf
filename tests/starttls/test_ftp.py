from __future__ import annotations

from tests.starttls import line_contract as contracts
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.ftp import FtpClient, FtpServer


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            FtpClient,
            FtpServer,
            """
            S: 220 tlsdemo
            C: AUTH TLS
            S: 234 Begin TLS negotiation now
            S* TLS
            C* TLS
            """,
        )


class ServerTests(contracts.Server):
    negotiation = FtpServer
    before = "S: 220 tlsdemo"
    request = "AUTH TLS"
    go_ahead = "234 Begin TLS negotiation now"
    last_line = "421 Plain bytes where TLS was to start"

    def test_serves_few_commands_before_tls(self) -> None:
        self.check(
            FtpServer(),
            r"""
            S: 220 tlsdemo
            C: feat
            S: 211-Extensions supported:
            S:  AUTH TLS
            S: 211 End
            C: NOOP
            S: 200 OK
            C: USER somebody
            S: 530 Say AUTH TLS first
            C: AUTH
            S: 501 AUTH needs a mechanism
            C: AUTH SSL
            S: 504 Only AUTH TLS is known
            C: \xff\xf4ABOR
            S: 530 Say AUTH TLS first
            C: QUIT
            S: 221 Bye
            S* probe: the client sent QUIT
            """,
        )


class ClientTests(contracts.Client):
    negotiation = FtpClient
    before = """
        S: 120 Ready in a minute
        S: 220-Welcome
        S: 230-to this
        S: 220-server
        S:  220 or that
        S: 220
        """
    request = "AUTH TLS"
    go_ahead = "234 Begin"
    last_line = "QUIT"

    def test_waits_for_the_last_line_of_an_answer(self) -> None:
        self.check(
            FtpClient(),
            """
            S: 220 ftp.example
            C: AUTH TLS
            S: 234-Begin
            S: 500 no, do
            S: 234-begin
            S: 234 now
            C* TLS
            """,
        )

    def test_refuses_a_server_that_sends_no_proper_greeting(self) -> None:
        for greeting in ("421 Busy", "120-", "230 OK", "220x", "SSH-2.0-x", "22O"):
            self.check(
                FtpClient(),
                f"""
                S: {greeting}
                C: QUIT
                C* peer refused TLS: the server's greeting is '{greeting}'
                """,
            )

    def test_quits_when_auth_tls_is_refused(self) -> None:
        unknown, refused = "peer offers no TLS", "peer refused TLS"
        causes = {
            "500 AUTH?": unknown,
            "502 Not here": unknown,
            "504 TLS?": unknown,
            "334 Go on": refused,
            "431 Later": refused,
            "534 No": refused,
            "234x": refused,
        }
        for answer, cause in causes.items():
            self.check(
                FtpClient(),
                f"""
                S: 220 ftp.example
                C: AUTH TLS
                S: {answer}
                C: QUIT
                C* {cause}: the server answered AUTH TLS with '{answer}'
                """,
            )
