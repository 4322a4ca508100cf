from __future__ import annotations

import json
from typing import Any

from tests.starttls import binary_contract, client_hello_contract, filter_contract
from tests.starttls.filter_contract import BACKEND, CLIENT, joined
from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.filters import FilterFailed
from tlsdemo.starttls.nats import NatsClient, NatsFilter, NatsServer
from tlsdemo.starttls.negotiation import Refuse, Switch

GREETING = (
    b'INFO {"server_id":"tlsdemo","server_name":"tlsdemo","version":"2.9.0","proto":1,'
    b'"headers":true,"max_payload":1048576,"auth_required":true,"tls_required":true} \r\n'
)
TLS_REQUIRED = b"-ERR 'Secure Connection - TLS Required'\r\n"
CONNECT = b'CONNECT {"verbose":false,"pass":"SECRET"}\r\nPING\r\n'


def info(**fields: Any) -> bytes:
    return b"INFO " + json.dumps(fields, separators=(",", ":")).encode() + b" \r\n"


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(NatsClient, NatsServer, f"S: {GREETING.decode()}C* TLS")


class ServerTests(client_hello_contract.Server):
    negotiation = NatsServer
    greeting = GREETING
    plaintext = CONNECT

    def test_answers_a_client_without_tls_as_nats_server_does(self) -> None:
        (refuse,) = self.outcome(CONNECT, 1000)
        self.assertEqual(
            refuse,
            Refuse(
                Cause.PLAINTEXT,
                "the client sent no ClientHello",
                TLS_REQUIRED,
            ),
        )


class ClientTests(binary_contract.Client):
    negotiation = NatsClient
    sent = (GREETING,)
    key = b"INFO"
    others = (info(tls_available=True), info(headers=True), b"-ERR 'maximum connections'\r\n")

    def check_refuses(self, line: str, refusal: str) -> None:
        self.check(NatsClient(), f"S: {line}\nC* {refusal}")

    def test_starts_tls_if_the_server_requires_it_or_has_it(self) -> None:
        for offer in (
            '{"tls_required":true}',
            '{"tls_available":true}',
            ' {"tls_required": false, "tls_available": true} ',
        ):
            for operation in ("INFO", "info", r"INFO\t"):
                self.check(NatsClient(), f"S: {operation} {offer}\nC* TLS")

    def test_refuses_a_server_that_does_not_offer_tls(self) -> None:
        for offer in ("{}", '{"tls_required":false}', '{"tls_required":1}', '{"tls_verify":true}'):
            self.check_refuses(
                f"INFO {offer}", "peer offers no TLS: the server's INFO does not offer TLS"
            )

    def test_refuses_a_server_that_sends_an_error(self) -> None:
        error = "-ERR maximum connections exceeded"
        self.check_refuses(error, f"peer refused TLS: the server's greeting is '{error}'")

    def test_refuses_every_other_greeting(self) -> None:
        for line in ("PING", "INFO", "INFO []", "INFO {", 'INFOX {"tls_required":true}', "+OK"):
            self.check_refuses(line, f"protocol error: the server's greeting is '{line}'")

    def test_refuses_deeply_nested_json(self) -> None:
        self.check_refuses("INFO " + "[" * 30_000, "protocol error: the server's greeting is 'INFO "
                           + "[" * 74)  # fmt: skip

    def test_reads_the_info_of_a_large_cluster(self) -> None:
        urls = [f"192.0.2.{number}:4222" for number in range(250)] * 5
        greeting = info(connect_urls=urls, tls_required=True)
        self.assertGreater(len(greeting), 20_000)
        self.assertEqual(NatsClient().receive(greeting), [Switch()])

    def test_limits_a_line(self) -> None:
        self.check_lines_are_bounded(NatsClient(), 1 << 15, "")
        self.check_lines_are_bounded(NatsClient(max_line=50), 50, "")


class FilterTests(filter_contract.Contract):
    protocol_filter = NatsFilter
    greeting = info(server_id="backend", max_payload=8, connect_urls=["a:1"], headers=True)
    passed_greeting = info(server_id="backend", max_payload=8, headers=True)
    rejection = b"-ERR 'maximum connections exceeded'"
    fragments = (
        b"PONG\r\n",
        b"MSG a 1 5\r\n",
        b"HMSG a 1 2 5\r\n",
        b"INFO {}\r\n",
        greeting,
        b"PING",
    )

    def test_shows_the_backends_info_after_the_first_pong(self) -> None:
        shown = info(server_id="backend", max_payload=8, headers=True)
        self.check([
            (CLIENT, CONNECT, CONNECT),
            (BACKEND, joined(b"+OK"), joined(b"+OK")),
            (BACKEND, joined(b"PONG"), joined(b"PONG") + shown),
            (CLIENT, joined(b"PING"), joined(b"PING")),
            (BACKEND, joined(b"PONG"), joined(b"PONG")),
        ])  # fmt: skip

    def test_removes_offers_of_tls_and_addresses_of_other_servers_from_every_info(self) -> None:
        original = info(nonce="x", tls_required=True, tls_available=True, tls_verify=True, ldm=True,
                    connect_urls=["a:1"], ws_connect_urls=["b:1"])  # fmt: skip
        shown = info(nonce="x", ldm=True)
        self.check(
            [(BACKEND, original, shown), (BACKEND, b"\r\n" + original.lower(), b"\r\n" + shown)]
        )

    def test_leaves_payloads_alone(self) -> None:
        payload = info(tls_required=True) + joined(b"PONG")
        size = b"%d" % len(payload)
        for head in (b"MSG a 1 ", b"msg a 1 reply ", b"HMSG a 1 12 ", b"MSG\ta\t1\t"):
            self.check_untouched([(BACKEND, head + size + b"\r\n" + payload + b"\r\n")])

    def test_leaves_what_the_client_sends_alone(self) -> None:
        self.check_untouched([(CLIENT, b"PUB a 5\r\n\x00\n\r\n\xff\r\n" + joined(b"INFO {}"))])

    def test_passes_an_info_that_is_no_json(self) -> None:
        self.check_untouched(
            [(BACKEND, joined(b"INFO", b"INFO []", b"INFO {", b"MSG", b"MSG a 1 x"))]
        )

    def test_fails_if_the_backend_requires_tls_itself(self) -> None:
        failed = self.assertRaises(FilterFailed, NatsFilter().from_backend, info(tls_required=True))
        self.assertEqual(str(failed), "the backend requires TLS")
        self.assertEqual(NatsFilter().from_backend(info(tls_available=True)), b"")

    def test_fails_at_a_greeting_that_is_no_json(self) -> None:
        for greeted in (True, False):
            self.assertRaises(FilterFailed, NatsFilter(greeted).from_backend, joined(b"INFO {"))

    def test_fails_at_an_info_that_is_too_long_to_filter(self) -> None:
        for size in (1 << 20, 1000):
            failed = self.assertRaises(
                FilterFailed,
                filter_contract.filtered,
                self.greeted(),
                [(BACKEND, info(connect_urls=["a:1"] * 10_000))],
                size,
            )
            self.assertEqual(str(failed), "the backend's INFO has more than 32768 bytes")
