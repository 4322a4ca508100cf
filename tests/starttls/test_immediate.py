from __future__ import annotations

from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.immediate import ImmediateClient, ImmediateServer
from tlsdemo.starttls.negotiation import Negotiation


class BothTests(TranscriptTestCase):
    def test_start_tls_at_once(self) -> None:
        self.check(ImmediateServer(), "S* TLS")
        self.check(ImmediateClient(), "C* TLS")

    def test_the_server_does_what_the_table_says(self) -> None:
        quick, slow = ImmediateServer(), ImmediateServer()
        self.assertEqual(quick.start(), Negotiation.start(slow))
        self.assertEqual(quick.state, slow.state)

    def test_must_not_be_fed(self) -> None:
        for negotiation in (ImmediateServer(), ImmediateClient()):
            negotiation.start()
            self.assertRaises(RuntimeError, negotiation.receive, b"\x16")
