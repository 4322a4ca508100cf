from __future__ import annotations

from tests.starttls import line_contract as contracts
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.negotiation import Say
from tlsdemo.starttls.sieve import SieveClient, SieveServer

CAPABILITIES = """\
S: "IMPLEMENTATION" "tlsdemo"
S: "SASL" ""
S: "SIEVE" ""
S: "STARTTLS"
S: "VERSION" "1.0"
"""


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            SieveClient,
            SieveServer,
            f"""
            {CAPABILITIES}
            S: OK "tlsdemo"
            C: STARTTLS
            S: OK "Begin TLS negotiation now"
            S* TLS
            C* TLS
            """,
        )


class ServerTests(contracts.Server):
    negotiation = SieveServer
    before = f'{CAPABILITIES}S: OK "tlsdemo"'
    request = "STARTTLS"
    go_ahead = 'OK "Begin TLS negotiation now"'
    last_line = 'BYE "Plain bytes where TLS was to start"'

    def test_serves_few_commands_before_tls(self) -> None:
        self.check_after(
            self.server_before_request(),
            "C: capability",
            *CAPABILITIES.splitlines(),
            "S: OK",
            "C: NOOP",
            "S: OK",
            'C: noop "STARTTLS-SYNC-42"',
            'S: OK (TAG "STARTTLS-SYNC-42") "Done"',
            'C: NOOP ""',
            'S: OK (TAG "") "Done"',
            'C: NOOP "a" tag"',
            'S: NO "The argument of NOOP is a string"',
            "C: NOOP tag",
            'S: NO "The argument of NOOP is a string"',
            'C: AUTHENTICATE "PLAIN" "AGEAYg=="',
            'S: NO (ENCRYPT-NEEDED) "Say STARTTLS first"',
            "C: LISTSCRIPTS",
            'S: NO "Say STARTTLS first"',
            "C: STARTTLS now",
            'S: NO "STARTTLS has no arguments"',
            "C: LOGOUT",
            "S: OK",
            "S* probe: the client sent LOGOUT",
        )

    def test_repeats_a_tag_with_escaped_characters(self) -> None:
        server = SieveServer()
        server.start()
        (say,) = server.receive(rb'''NOOP "a \"tag\\"''' + b"\r\n")
        self.assertEqual(say, Say(rb'''OK (TAG "a \"tag\\") "Done"''' + b"\r\n"))

    def test_refuses_literals(self) -> None:
        for line in ('AUTHENTICATE "PLAIN" {8+}', "NOOP {4}", "{0+}", "STARTTLS {1}"):
            self.check_after(
                self.server_before_request(),
                f"C: {line}",
                "C: STARTTLS",
                'S: BYE "No literals before TLS"',
                "S* protocol error: a literal before TLS",
            )


class ClientTests(contracts.Client):
    negotiation = SieveClient
    before = """
        S: "IMPLEMENTATION" "Example"
        S: "StartTLS"
        S: "SIEVE" "fileinto"
        S: oK "Ready"
        """
    request = "STARTTLS"
    go_ahead = "oK"
    last_line = "LOGOUT"

    def test_logs_out_when_starttls_is_not_offered(self) -> None:
        for offer in ('"STARTTLSX"', '"XSTARTTLS"', '"SASL" "STARTTLS"', '"STARTTLS" "no"'):
            self.check(
                SieveClient(),
                f"""
                S: "IMPLEMENTATION" "Example"
                S: {offer}
                S: OK
                C: LOGOUT
                C* peer offers no TLS: the server does not offer STARTTLS
                """,
            )

    def test_refuses_a_server_that_sends_no_proper_greeting(self) -> None:
        for greeting in ("NO Busy", "BYE (TRYLATER) No", "OKAY", "STARTTLS", "{8}", "OK {2}"):
            for before in ([], ['S: "STARTTLS"', 'S: "STARTTLS"']):
                self.check_lines(
                    SieveClient(),
                    *before,
                    f"S: {greeting}",
                    "C: LOGOUT",
                    f"C* peer refused TLS: the server greeted with '{greeting}'",
                )

    def test_refuses_a_capability_with_a_literal(self) -> None:
        self.check(
            SieveClient(),
            r"""
            S: "STARTTLS"
            S: "SIEVE" {4}
            C: LOGOUT
            C* peer refused TLS: the server greeted with '"SIEVE" {4}'
            """,
        )

    def test_logs_out_when_starttls_is_refused(self) -> None:
        for answer in ("NO", "BYE", "OKAY", "OK {3}", "STARTTLS"):
            self.check(
                SieveClient(),
                f"""
                {self.before}
                C: STARTTLS
                S: {answer}
                C: LOGOUT
                C* peer refused TLS: the server answered STARTTLS with '{answer}'
                """,
            )
