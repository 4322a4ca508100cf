from __future__ import annotations

from tests.upgrade.transcripts import TranscriptTestCase
from tlsdemo.upgrade.immediate import ImmediateClient, ImmediateServer


class BothTests(TranscriptTestCase):
    def test_agree_without_a_word(self) -> None:
        self.check(ImmediateServer(), "S* TLS")
        self.check(ImmediateClient(), "C* TLS")

    def test_have_nothing_to_say_to_plain_bytes(self) -> None:
        for dialogue in (ImmediateServer(), ImmediateClient()):
            dialogue.start()
            self.assertRaises(RuntimeError, dialogue.receive, b"\x16")
