from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.testing.pins.protocols import wrapped
from tlsdemo.testing.pins import Subject
from tlsdemo.testing.pins.recording import Recording
from tlsdemo.testing.pins.situations import find_situation
from tlsdemo.trace.model import Arrow, End, Fate
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.tls_detection import excerpt


def plain(sender: End, data: bytes, fate: Fate = Fate.PASSED) -> Arrow:
    return Arrow(sender, 0.0, Record(Kind.PLAIN, len(data), "", (excerpt(data), "12 more B")), fate)


class PlaintextInPieces(SynchronousTestCase):
    """A socket cuts plaintext where it likes; what is pinned must not depend on it."""

    def setUp(self) -> None:
        self.now = 0.0
        self.record = Recording(Subject(wrapped), find_situation("ok"), lambda: self.now)

    def see(self, *arrows: Arrow) -> list[tuple[str, ...]]:
        for each in arrows:
            self.record.arrow(each)
        return [(each.sender.value, *each.record.messages) for each in self.record.trace.arrows()]

    def test_is_seen_as_one(self) -> None:
        self.assertEqual(
            self.see(
                plain(End.SERVER, b"250-localhost\r\n"), plain(End.SERVER, b"250 STARTTLS\r\n")
            ),
            [("server", "250-localhost\\r\\n250 STARTTLS\\r\\n")],
        )

    def test_an_event_in_between_makes_no_difference(self) -> None:
        self.record.arrow(plain(End.SERVER, b"25"))
        self.record.pinned("dataReceived")
        self.assertEqual(self.see(plain(End.SERVER, b"0")), [("server", "250")])

    def test_an_answer_in_between_does(self) -> None:
        arrows = [plain(End.SERVER, b"a"), plain(End.CLIENT, b"b"), plain(End.SERVER, b"c")]
        self.assertEqual(self.see(*arrows), [("server", "a"), ("client", "b"), ("server", "c")])

    def test_time_in_between_does(self) -> None:
        self.see(plain(End.SERVER, b"a"))
        self.now = 30.0
        self.assertEqual(self.see(plain(End.SERVER, b"b")), [("server", "a"), ("server", "b")])

    def test_what_is_lost_is_another_matter(self) -> None:
        arrows = [plain(End.SERVER, b"a"), plain(End.SERVER, b"b", Fate.DROPPED)]
        self.assertEqual(len(self.see(*arrows)), 2)
