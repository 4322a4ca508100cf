from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IProtocol
from twisted.trial.unittest import SynchronousTestCase

from tests.support import ReadingRecorder, Recorder
from tlsdemo.tls import PullSource


class RecordingStream:
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


class PullSourceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = RecordingStream()
        self.buffer = self.stream.buffer = PullSource(self.stream, 10)
        self.application = ReadingRecorder()
        self.buffer.attach(self.application)
        self.log = self.application.log

    def end(self) -> None:
        self.buffer.end(lambda: self.log.append("end"))

    def test_a_read_can_span_several_deliveries(self) -> None:
        for data in (b"one", b"two", b"six"):
            self.buffer.feed(data)
        self.assertEqual(len(self.buffer), 9)
        self.assertEqual([self.buffer.read(size) for size in (1, 4, 1)], [b"o", b"netw", b"o"])
        self.assertEqual(len(self.buffer), 3)
        self.assertEqual([self.buffer.read(3), self.buffer.read(3)], [b"six", b""])

    def test_a_read_without_a_size_returns_everything(self) -> None:
        self.buffer.feed(b"one")
        self.buffer.feed(b"two")
        self.assertEqual(self.buffer.read(), b"onetwo")
        self.assertEqual(self.buffer.read(), b"")

    def test_a_read_returns_no_more_than_there_is(self) -> None:
        self.buffer.feed(b"one")
        self.assertEqual(self.buffer.read(100), b"one")

    def test_reads_are_counted(self) -> None:
        self.buffer.feed(b"one")
        self.buffer.read(2)
        self.buffer.read()
        self.buffer.read()
        self.assertEqual(self.stream.log, [b"on", b"e"])

    def test_a_read_of_zero_bytes_does_not_mean_that_everything_has_been_read(self) -> None:
        self.buffer.feed(b"one")
        self.end()
        self.assertEqual(self.buffer.read(0), b"")
        self.buffer.feed(b"two")
        self.assertEqual(self.log, ["readable"])
        self.application.read_all()
        self.assertEqual(self.log, ["readable", b"onetwo", "end", "read all"])

    def test_the_stream_is_paused_once_and_resumed_at_half(self) -> None:
        self.buffer.feed(b"x" * 10)
        self.buffer.feed(b"y")
        self.assertEqual(self.stream.log, ["pause"])
        self.stream.more = [b"z"]
        self.buffer.read(5)
        self.assertEqual(self.stream.log, ["pause", b"xxxxx"])
        self.buffer.read(1)
        self.assertEqual(self.stream.log, ["pause", b"xxxxx", b"x", "resume"])
        self.assertEqual(self.buffer.read(), b"xxxxyz")
        self.assertEqual(self.log, ["readable"])

    def test_the_stream_is_paused_again_when_the_buffer_is_full_again(self) -> None:
        for _ in range(2):
            self.buffer.feed(b"x" * 10)
            self.buffer.read()
        self.assertEqual(self.stream.log, ["pause", b"x" * 10, "resume"] * 2)

    def test_the_end_is_reported_after_everything_has_been_read(self) -> None:
        self.buffer.feed(b"data")
        self.end()
        self.buffer.read(2)
        self.buffer.read(2)
        self.assertEqual(self.log, ["readable"])
        self.buffer.read(2)
        self.assertEqual(self.log, ["readable", "end"])
        self.buffer.read()
        self.assertEqual(self.log, ["readable", "end"])

    def test_the_end_is_reported_at_once_if_there_is_nothing_to_read(self) -> None:
        self.end()
        self.assertEqual(self.log, ["end"])

    def test_an_end_that_waits_is_reported_when_the_data_is_dropped(self) -> None:
        self.buffer.feed(b"data")
        self.end()
        self.buffer.drop()
        self.assertEqual(self.log, ["readable", "end"])
        self.assertEqual((self.buffer.read(), len(self.buffer)), (b"", 0))

    def test_an_end_after_dropping_is_reported_at_once(self) -> None:
        self.buffer.feed(b"data")
        self.buffer.drop()
        self.end()
        self.assertEqual(self.log, ["readable", "end"])

    def test_an_application_without_readable_is_refused(self) -> None:
        class NotCallable(Recorder):
            readable = True

        for application in (Recorder(), NotCallable()):
            error = self.assertRaises(TypeError, self.buffer.attach, application)
            self.assertIn(type(application).__name__, str(error))

    @settings(max_examples=100, database=None)
    @given(
        pieces=st.lists(st.binary(min_size=1, max_size=9)),
        sizes=st.lists(st.one_of(st.none(), st.integers(1, 12))),
    )
    def test_data_is_read_in_order(self, pieces: list[bytes], sizes: list[int | None]) -> None:
        buffer = PullSource(RecordingStream(), 10)
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
