from __future__ import annotations

from collections import deque

from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import RecordingHandlerListener
from tlsdemo.proxy.handler import Handler
from tlsdemo.tls import PullSource


class Source:
    """Has so many pieces to read, and counts how often it is asked."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = deque(pieces)
        self.asked = 0

    def read(self) -> bytes:
        self.asked += 1
        return self.pieces.popleft() if self.pieces else b""


class Taker(Handler):
    """Has room for ``room`` pieces."""

    def __init__(self, room: int) -> None:
        super().__init__(RecordingHandlerListener([]))
        self.room = room
        self.taken: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self.taken.append(data)
        self.full = len(self.taken) >= self.room

    def tell(self, source: Source) -> None:
        self.readable(source)  # type: ignore[arg-type]


class ARole(SynchronousTestCase):
    def test_takes_what_there_is_until_nothing_is_left(self) -> None:
        taker, source = Taker(9), Source(b"a", b"b")
        taker.tell(source)
        self.assertEqual(taker.taken, [b"a", b"b"])
        # A source tells of more only to who has seen that there is none.
        self.assertEqual(source.asked, 3)

    def test_takes_no_more_than_it_has_room_for(self) -> None:
        taker, source = Taker(2), Source(b"a", b"b", b"c")
        taker.tell(source)
        self.assertEqual((taker.taken, source.asked), ([b"a", b"b"], 2))

    def test_goes_on_taking_when_it_has_room_again(self) -> None:
        taker, source = Taker(2), Source(b"a", b"b", b"c")
        taker.tell(source)
        taker.read_more()
        self.assertEqual(source.asked, 2)
        taker.room, taker.full = 9, False
        taker.read_more()
        self.assertEqual((taker.taken, source.asked), ([b"a", b"b", b"c"], 4))

    def test_has_nothing_to_take_where_delivery_is_not_on_demand(self) -> None:
        taker = Taker(2)
        taker.read_more()
        self.assertEqual(taker.taken, [])

    def test_can_be_delivered_to_on_demand(self) -> None:
        # Readable refuses an application that has no such method.
        source = PullSource(None, 1)  # type: ignore[arg-type]
        source.attach(Taker(1))
