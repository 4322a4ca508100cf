from __future__ import annotations

from tests.starttls import line_contract as contracts
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.line import LineClient, LineServer


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            LineClient,
            LineServer,
            """
            C: STARTTLS
            S: OK
            S* TLS
            C* TLS
            """,
        )


class ServerTests(contracts.Server):
    negotiation = LineServer
    request = "STARTTLS"
    go_ahead = "OK"
    last_line = "ERROR plain bytes where TLS was to start"

    def test_answers_everything_else_with_an_error(self) -> None:
        self.check(
            LineServer(),
            """
            C: HELLO
            S: ERROR say STARTTLS
            C:
            S: ERROR say STARTTLS
            C: STARTTLS please
            S: ERROR STARTTLS stands alone
            C: STARTTLS
            S: OK
            S* TLS
            """,
        )


class ClientTests(contracts.Client):
    negotiation = LineClient
    request = "STARTTLS"
    go_ahead = "OK"
    last_line = ""

    def test_accepts_nothing_but_ok(self) -> None:
        for answer in ("ERROR no", "ok", "OK then", "OK\\rOK", "\\x00\\xff"):
            self.check(
                LineClient(),
                f"""
                C: STARTTLS
                S: {answer}
                C* peer refused TLS: the server answered STARTTLS with '{answer}'
                """,
            )
