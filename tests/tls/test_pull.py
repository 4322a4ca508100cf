from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IProtocol
from twisted.trial.unittest import SynchronousTestCase

from tests.support import ReadingRecorder, Recorder
from tlsdemo.tls import PullSource


class Source:
    """Fills a buffer, as a stream would; ``more`` comes when it is resumed."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.more: list[bytes] = []
        self.buffer: PullSource

    def pauseProducing(self) -> None:
        self.log.append("pause")

    def resumeProducing(self) -> None:
        self.log.append("resume")
        while self.more:
            self.buffer.feed(self.more.pop(0))

    def take(self, data: bytes) -> None:
        self.log.append(data)


class Reading(SynchronousTestCase):
    def setUp(self) -> None:
        self.source = Source()
        self.buffer = self.source.buffer = PullSource(self.source, 10)
        self.application = ReadingRecorder()
        self.buffer.attach(self.application)
        self.log = self.application.log

    def end(self) -> None:
        self.buffer.end(lambda: self.log.append("end"))

    def test_takes_what_is_asked_for_across_what_came(self) -> None:
        for data in (b"one", b"two", b"six"):
            self.buffer.feed(data)
        self.assertEqual(len(self.buffer), 9)
        self.assertEqual([self.buffer.read(size) for size in (1, 4, 1)], [b"o", b"netw", b"o"])
        self.assertEqual(len(self.buffer), 3)
        self.assertEqual([self.buffer.read(3), self.buffer.read(3)], [b"six", b""])

    def test_takes_all_if_nothing_is_asked_for_in_particular(self) -> None:
        self.buffer.feed(b"one")
        self.buffer.feed(b"two")
        self.assertEqual(self.buffer.read(), b"onetwo")
        self.assertEqual(self.buffer.read(), b"")

    def test_of_more_than_there_is_takes_what_there_is(self) -> None:
        self.buffer.feed(b"one")
        self.assertEqual(self.buffer.read(100), b"one")

    def test_counts_what_was_taken(self) -> None:
        self.buffer.feed(b"one")
        self.buffer.read(2)
        self.buffer.read()
        self.buffer.read()
        self.assertEqual(self.source.log, [b"on", b"e"])

    def test_of_nothing_is_no_sign_that_all_has_been_read(self) -> None:
        self.buffer.feed(b"one")
        self.end()
        self.assertEqual(self.buffer.read(0), b"")
        self.buffer.feed(b"two")
        self.assertEqual(self.log, ["readable"])
        self.application.read_all()
        self.assertEqual(self.log, ["readable", b"onetwo", "end", "read all"])

    def test_pauses_the_source_once_and_resumes_it_at_half(self) -> None:
        self.buffer.feed(b"x" * 10)
        self.buffer.feed(b"y")
        self.assertEqual(self.source.log, ["pause"])
        self.source.more = [b"z"]
        self.buffer.read(5)
        self.assertEqual(self.source.log, ["pause", b"xxxxx"])
        self.buffer.read(1)
        self.assertEqual(self.source.log, ["pause", b"xxxxx", b"x", "resume"])
        self.assertEqual(self.buffer.read(), b"xxxxyz")
        self.assertEqual(self.log, ["readable"])

    def test_pauses_the_source_again_when_it_is_full_again(self) -> None:
        for _ in range(2):
            self.buffer.feed(b"x" * 10)
            self.buffer.read()
        self.assertEqual(self.source.log, ["pause", b"x" * 10, "resume"] * 2)

    def test_all_is_told_before_the_end(self) -> None:
        self.buffer.feed(b"data")
        self.end()
        self.buffer.read(2)
        self.buffer.read(2)
        self.assertEqual(self.log, ["readable"])
        self.buffer.read(2)
        self.assertEqual(self.log, ["readable", "end"])
        self.buffer.read()
        self.assertEqual(self.log, ["readable", "end"])

    def test_nothing_is_told_of_the_end_at_once(self) -> None:
        self.end()
        self.assertEqual(self.log, ["end"])

    def test_nothing_after_it_was_dropped_brings_the_end(self) -> None:
        self.buffer.feed(b"data")
        self.end()
        self.buffer.drop()
        self.assertEqual(self.log, ["readable", "end"])
        self.assertEqual((self.buffer.read(), len(self.buffer)), (b"", 0))

    def test_nothing_is_awaited_after_it_was_dropped(self) -> None:
        self.buffer.feed(b"data")
        self.buffer.drop()
        self.end()
        self.assertEqual(self.log, ["readable", "end"])

    def test_of_another_kind_of_application_is_refused(self) -> None:
        class NotCallable(Recorder):
            readable = True

        for application in (Recorder(), NotCallable()):
            error = self.assertRaises(TypeError, self.buffer.attach, application)
            self.assertIn(type(application).__name__, str(error))

    @settings(max_examples=100, deadline=None, database=None)
    @given(
        pieces=st.lists(st.binary(min_size=1, max_size=9)),
        sizes=st.lists(st.one_of(st.none(), st.integers(1, 12))),
    )
    def test_keeps_all_bytes_in_order(self, pieces: list[bytes], sizes: list[int | None]) -> None:
        buffer = PullSource(Source(), 10)
        application: IProtocol = ReadingRecorder()
        buffer.attach(application)
        taken = []
        for index in range(max(len(pieces), len(sizes))):
            for piece in pieces[index : index + 1]:
                buffer.feed(piece)
            for size in sizes[index : index + 1]:
                before = len(buffer)
                taken.append(buffer.read(size))
                self.assertEqual(len(taken[-1]), before if size is None else min(size, before))
        taken.append(buffer.read())
        self.assertEqual(b"".join(taken), b"".join(pieces))
