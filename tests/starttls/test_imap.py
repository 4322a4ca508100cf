from __future__ import annotations

from tests.starttls import line_contract as contracts
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.imap import ImapClient, ImapServer

GREETING = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] tlsdemo"


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            ImapClient,
            ImapServer,
            f"""
            S: {GREETING}
            C: a1 CAPABILITY
            S: * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED
            S: a1 OK CAPABILITY completed
            C: a2 STARTTLS
            S: a2 OK Begin TLS negotiation now
            S* TLS
            C* TLS
            """,
        )


class ServerTests(contracts.Server):
    negotiation = ImapServer
    before = f"S: {GREETING}"
    request = "tag1 STARTTLS"
    go_ahead = "tag1 OK Begin TLS negotiation now"
    last_line = "* BYE Plain bytes where TLS was to start"

    def test_serves_few_commands_before_tls(self) -> None:
        self.check(
            ImapServer(),
            f"""
            S: {GREETING}
            C: . capability
            S: * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED
            S: . OK CAPABILITY completed
            C: A]~1 Noop
            S: A]~1 OK NOOP completed
            C: a2 STARTTLS now
            S: a2 BAD STARTTLS has no arguments
            C: a3 SELECT INBOX
            S: a3 BAD Say STARTTLS first
            C: a4
            S: a4 BAD Say STARTTLS first
            C: a5 LOGOUT
            S: * BYE tlsdemo
            S: a5 OK LOGOUT completed
            S* probe: the client sent LOGOUT
            """,
        )

    def test_rejects_every_login_before_tls(self) -> None:
        self.check(
            ImapServer(),
            f"""
            S: {GREETING}
            C: a1 LOGIN user "pass{{5}}"
            S: a1 NO [PRIVACYREQUIRED] Say STARTTLS first
            C: a2 AUTHENTICATE PLAIN
            S: a2 NO [PRIVACYREQUIRED] Say STARTTLS first
            C: a3 Authenticate PLAIN AGEAYg==
            S: a3 NO [PRIVACYREQUIRED] Say STARTTLS first
            """,
        )

    def test_rejects_a_command_without_a_valid_tag(self) -> None:
        for line in (
            "",
            " NOOP",
            "+ NOOP",
            "a+ NOOP",
            "{5} NOOP",
            '"a" NOOP',
            "\\xe4 NOOP",
            "* OK",
        ):
            self.check_after(
                self.server_before_request(),
                f"C: {line}",
                "S: * BAD A command begins with a tag",
            )

    def test_answers_a_client_that_waits_before_it_sends_a_literal(self) -> None:
        self.check_after(
            self.server_before_request(),
            "C: a1 LOGIN {4}",
            "S: a1 NO [PRIVACYREQUIRED] Say STARTTLS first",
            "C: a2 APPEND x {4}",
            "S: a2 BAD Say STARTTLS first",
            "C: a3 STARTTLS {9}",
            "S: a3 BAD STARTTLS has no arguments",
            "C: {1}",
            "S: * BAD A command begins with a tag",
        )

    def test_refuses_literals_that_may_be_on_their_way(self) -> None:
        for line in ("a1 LOGIN {4+}", "a1 NOOP ~{0+}", "a1 STARTTLS {9+}", "{1+}"):
            self.check_after(
                self.server_before_request(),
                f"C: {line}",
                "C: STARTTLS",
                "S: * BYE No literals before TLS",
                "S* protocol error: a literal before TLS",
            )


class ClientTests(contracts.Client):
    negotiation = ImapClient
    longest_line = 8192
    before = """
        S: * OK mail.example
        C: a1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 starttls
        S: a1 OK done
        """
    request = "a2 STARTTLS"
    go_ahead = "a2 OK Begin"
    last_line = "a3 LOGOUT"

    def test_ignores_untagged_responses(self) -> None:
        self.check(
            ImapClient(),
            """
            S: * ok [CAPABILITY IMAP4rev1 STARTTLS] mail.example
            C: a1 CAPABILITY
            S: * OK Still here
            S: * CAPABILITY IMAP4rev1 STARTTLS
            S: * OK Still here
            S: a1 ok done
            C: a2 STARTTLS
            S: * CAPABILITY IMAP4rev1
            S: * CAPABILITY IMAP4rev1 STARTTLS
            S: * NO Disk is full
            S: a2 OK Begin
            C* TLS
            """,
        )

    def test_asks_for_capabilities_whatever_the_greeting_says(self) -> None:
        self.check(
            ImapClient(),
            """
            S: * OK [CAPABILITY IMAP4rev1 STARTTLS] mail.example
            C: a1 CAPABILITY
            S: * CAPABILITY IMAP4rev1
            S: a1 OK done
            C: a3 LOGOUT
            C* peer offers no TLS: the server does not offer STARTTLS
            """,
        )

    def test_obeys_the_last_list_of_capabilities(self) -> None:
        self.check(
            ImapClient(),
            """
            S: * OK mail.example
            C: a1 CAPABILITY
            S: * CAPABILITY STARTTLS
            S: * CAPABILITY XSTARTTLS STARTTLSX
            S: a1 OK done
            C: a3 LOGOUT
            C* peer offers no TLS: the server does not offer STARTTLS
            """,
        )

    def test_refuses_a_server_that_greets_with_preauth(self) -> None:
        self.check(
            ImapClient(),
            """
            S: * PREAUTH Welcome back
            C: a3 LOGOUT
            C* peer refused TLS: the server has logged us in in plaintext: '* PREAUTH Welcome back'
            """,
        )

    def test_refuses_a_server_that_sends_no_proper_greeting(self) -> None:
        for greeting in ("* NO", "* CAPABILITY STARTTLS", "OK", "+ go", "a1 OK", "*", "* OK {5}"):
            self.check(
                ImapClient(),
                f"""
                S: {greeting}
                C: a3 LOGOUT
                C* peer refused TLS: the server's greeting is '{greeting}'
                """,
            )

    def test_ignores_untagged_responses_that_arrive_with_the_greeting_or_the_capabilities(
        self,
    ) -> None:
        self.check_lines(
            ImapClient(),
            "S: * OK mail.example",
            "S: * NO [ALERT] Maintenance at noon",
            "C: a1 CAPABILITY",
            "S: * CAPABILITY STARTTLS",
            "S: a1 OK done",
            "S: * 5 EXISTS",
            "C: a2 STARTTLS",
            "S: a2 OK go",
            "C* TLS",
        )

    def test_sends_nothing_to_a_server_that_sends_bye(self) -> None:
        asked = ["S: * OK mail.example", "C: a1 CAPABILITY"]
        offered = [*asked, "S: * CAPABILITY STARTTLS"]
        agreed = [*offered, "S: a1 OK done", "C: a2 STARTTLS"]
        for before in ([], asked, offered, agreed):
            self.check_lines(
                ImapClient(),
                *before,
                "S: * BYE Overloaded",
                "C* peer refused TLS: the server sent '* BYE Overloaded'",
            )

    def test_logs_out_when_capability_is_refused(self) -> None:
        for answer in ("a1 BAD What?", "a1 NO", "a2 OK", "A1 OK", "+ go", "* X {3}"):
            for before in ([], ["S: * CAPABILITY STARTTLS"]):
                self.check_lines(
                    ImapClient(),
                    "S: * OK mail.example",
                    "C: a1 CAPABILITY",
                    *before,
                    f"S: {answer}",
                    "C: a3 LOGOUT",
                    f"C* peer refused TLS: the server answered CAPABILITY with '{answer}'",
                )

    def test_logs_out_when_starttls_is_refused(self) -> None:
        for answer in ("a2 NO", "a2 BAD TLS is not set up", "a1 OK", "A2 OK", "* OK {2}", "+ go"):
            self.check(
                ImapClient(),
                f"""
                {self.before}
                C: a2 STARTTLS
                S: {answer}
                C: a3 LOGOUT
                C* peer refused TLS: the server answered STARTTLS with '{answer}'
                """,
            )
