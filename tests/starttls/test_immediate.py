from __future__ import annotations

from tests.starttls.transcripts import TranscriptTestCase
from tlsdemo.starttls.immediate import ImmediateClient, ImmediateServer


class BothTests(TranscriptTestCase):
    def test_agree_without_a_word(self) -> None:
        self.check(ImmediateServer(), "S* TLS")
        self.check(ImmediateClient(), "C* TLS")

    def test_have_nothing_to_say_to_plain_bytes(self) -> None:
        for negotiation in (ImmediateServer(), ImmediateClient()):
            negotiation.start()
            self.assertRaises(RuntimeError, negotiation.receive, b"\x16")
