from __future__ import annotations

from collections import deque

from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import RecordingHandlerListener
from tlsdemo.proxy.handler import Handler
from tlsdemo.tls import PullSource


class Source:
    """Has some pieces to read, and counts the reads."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = deque(pieces)
        self.reads = 0

    def read(self) -> bytes:
        self.reads += 1
        return self.pieces.popleft() if self.pieces else b""


class ReadingHandler(Handler):
    """Has room for ``room`` pieces."""

    def __init__(self, room: int) -> None:
        super().__init__(RecordingHandlerListener([]))
        self.room = room
        self.taken: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self.taken.append(data)
        self.full = len(self.taken) >= self.room

    def notify(self, source: Source) -> None:
        self.readable(source)  # type: ignore[arg-type]


class HandlerTests(SynchronousTestCase):
    def test_it_reads_until_there_is_nothing_left(self) -> None:
        handler, source = ReadingHandler(9), Source(b"a", b"b")
        handler.notify(source)
        self.assertEqual(handler.taken, [b"a", b"b"])
        # A source notifies again only after a read has returned nothing.
        self.assertEqual(source.reads, 3)

    def test_it_reads_no_more_when_it_is_full(self) -> None:
        handler, source = ReadingHandler(2), Source(b"a", b"b", b"c")
        handler.notify(source)
        self.assertEqual((handler.taken, source.reads), ([b"a", b"b"], 2))

    def test_it_continues_reading_when_it_has_room_again(self) -> None:
        handler, source = ReadingHandler(2), Source(b"a", b"b", b"c")
        handler.notify(source)
        handler.read_more()
        self.assertEqual(source.reads, 2)
        handler.room, handler.full = 9, False
        handler.read_more()
        self.assertEqual((handler.taken, source.reads), ([b"a", b"b", b"c"], 4))

    def test_read_more_does_nothing_without_on_demand_delivery(self) -> None:
        handler = ReadingHandler(2)
        handler.read_more()
        self.assertEqual(handler.taken, [])

    def test_it_can_be_attached_to_a_pull_source(self) -> None:
        # Readable refuses an application that has no such method.
        source = PullSource(None, 1)  # type: ignore[arg-type]
        source.attach(ReadingHandler(1))
