from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls.joined_writes import MAX_JOINED, JoinedWrites
from tlsdemo.tls.openssl_io import MAX_RECORD

SIZES = st.integers(0, 50) | st.integers(0, 3 * MAX_JOINED)


class JoinedWritesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.sent: list[bytes] = []
        self.joined = JoinedWrites(self.send, self.clock)

    def send(self, data: bytes, size: int) -> None:
        self.assertLessEqual(size, len(data))
        self.sent.append(data[:size])

    def test_the_writes_of_a_turn_are_sent_as_one_in_the_next(self) -> None:
        for text in (b"one", b"", b"two"):
            self.joined.write(text)
        self.assertEqual(self.sent, [])
        self.clock.advance(0)
        self.assertEqual(self.sent, [b"onetwo"])
        self.joined.write(b"three")
        self.clock.advance(0)
        self.assertEqual(self.sent, [b"onetwo", b"three"])
        self.assertEqual(self.joined.total, 11)

    def test_only_the_first_write_of_a_turn_schedules(self) -> None:
        for _ in range(3):
            self.joined.write(b"data")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_nothing_is_kept_or_scheduled_for_empty_writes(self) -> None:
        for _ in range(3):
            self.joined.write(b"")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.joined.flush()
        self.assertEqual(self.sent, [])

    def test_full_records_are_sent_at_once_when_there_are_enough(self) -> None:
        piece = b"x" * 1000
        while not self.sent:
            self.joined.write(piece)
        self.assertEqual(len(self.sent[0]), MAX_JOINED)
        rest = self.joined.total - MAX_JOINED
        self.assertTrue(0 < rest < len(piece))
        self.clock.advance(0)
        self.assertEqual([len(each) for each in self.sent[1:]], [rest])

    def test_a_large_write_is_sent_at_once_but_for_what_fills_no_record(self) -> None:
        self.joined.write(b"first")
        self.joined.write(b"x" * (5 * MAX_RECORD))
        self.assertEqual([len(each) for each in self.sent], [5 * MAX_RECORD])
        self.clock.advance(0)
        self.assertEqual(b"".join(self.sent), b"first" + b"x" * (5 * MAX_RECORD))

    def test_a_large_write_that_fills_its_records_leaves_nothing_to_schedule(self) -> None:
        self.joined.write(b"x" * MAX_JOINED)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.joined.write(b"next")
        self.clock.advance(0)
        self.assertEqual(self.sent, [b"x" * MAX_JOINED, b"next"])

    def test_at_most_so_many_bytes_are_kept(self) -> None:
        for size in (1, 16383, 16385, 60_000, 100_000):
            for _ in range(20):
                self.joined.write(b"x" * size)
                kept = self.joined.total - sum(map(len, self.sent))
                self.assertLess(kept, MAX_JOINED)

    def test_what_can_change_is_copied(self) -> None:
        data = bytearray(b"data")
        self.joined.write(data)
        self.joined.write(memoryview(data)[:2])
        data[:] = b"gone"
        self.joined.flush()
        self.assertEqual(self.sent, [b"datada"])

    def test_what_is_not_bytes_is_an_error(self) -> None:
        wrong: Any
        for wrong in ("text", 5, None):
            self.assertRaises(TypeError, self.joined.write, wrong)
        self.assertEqual(self.joined.total, 0)

    def test_flushing_sends_now_and_what_was_scheduled_sends_the_rest(self) -> None:
        self.joined.write(b"one")
        self.joined.flush()
        self.assertEqual(self.sent, [b"one"])
        self.joined.write(b"two")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(0)
        self.assertEqual(self.sent, [b"one", b"two"])

    def test_what_is_written_while_sending_is_sent_behind(self) -> None:
        order: list[bytes] = []

        def in_order(data: bytes, size: int) -> None:
            order.append(data[:size])
            if len(order) == 1:
                self.joined.write(b"y" * MAX_JOINED)

        self.joined = JoinedWrites(in_order, self.clock)
        self.joined.write(b"x" * (MAX_JOINED + 1))
        self.clock.advance(0)
        self.assertEqual(b"".join(order), b"x" * (MAX_JOINED + 1) + b"y" * MAX_JOINED)

    def test_once_closed_everything_is_dropped_and_nothing_scheduled(self) -> None:
        self.joined.write(b"lost")
        write = self.joined.write
        self.joined.close()
        for size in (1, 0, MAX_JOINED):
            write(b"x" * size)
        self.joined.flush()
        self.joined.close()
        self.assertEqual((self.sent, self.clock.getDelayedCalls()), ([], []))
        self.assertEqual(self.joined.total, 4)

    @settings(max_examples=100, database=None)
    @given(
        st.lists(
            st.integers(0, 50)
            | st.integers(0, 3 * MAX_JOINED)
            | st.sampled_from(["turn", "flush"]),
            max_size=30,
        )
    )
    def test_bytes_and_order_stay(self, steps: list[int | str]) -> None:
        self.setUp()
        written = b""
        for number, step in enumerate(steps):
            if step == "turn":
                self.clock.advance(0)
            elif step == "flush":
                self.joined.flush()
            else:
                data = bytes([number]) * int(step)
                written += data
                self.joined.write(data)
            self.assertEqual(self.joined.total, len(written))
        self.clock.advance(0)
        self.assertEqual(b"".join(self.sent), written)
