from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.exchange import LONGEST_LINE, Echo, Line, WrongAnswer, exchange_of


class Echoes(SynchronousTestCase):
    def test_messages_have_the_size_and_differ_from_their_neighbours(self) -> None:
        echo = Echo(32)
        messages = [echo.message(number) for number in range(300)]
        self.assertEqual({len(message) for message in messages}, {32})
        self.assertEqual(len(set(messages)), 251)

    @given(st.integers(0, 40))
    def test_an_echo_counts_once_it_is_complete(self, received: int) -> None:
        message = Echo(32).message(7)
        answer = bytearray((message + b"more")[:received])
        self.assertEqual(Echo(32).length(answer, message), 32 if received >= 32 else 0)

    @given(st.integers(0, 31))
    def test_a_wrong_byte_is_noticed_at_once(self, where: int) -> None:
        message = Echo(32).message(7)
        answer = bytearray(message[: where + 1])
        answer[where] ^= 1
        self.assertRaises(WrongAnswer, Echo(32).length, answer, message)

    def test_the_echo_of_another_message_is_wrong(self) -> None:
        echo = Echo(32)
        answer = bytearray(echo.message(8))
        self.assertRaises(WrongAnswer, echo.length, answer, echo.message(7))


class Lines(SynchronousTestCase):
    def length(self, received: bytes) -> int:
        return Line(b"NOOP\r\n", b"250").length(bytearray(received), b"")

    def test_a_line_counts_once_it_is_complete(self) -> None:
        for received, length in {b"2": 0, b"250 OK": 0, b"250 OK\r\n250": 8}.items():
            self.assertEqual(self.length(received), length)

    def test_another_beginning_is_wrong_at_once(self) -> None:
        problem = self.assertRaises(WrongAnswer, self.length, b"25x")
        self.assertEqual(str(problem), "b'25x' does not begin with b'250'")
        self.assertRaises(WrongAnswer, self.length, b"2\r\n")

    def test_a_line_without_an_end_is_wrong(self) -> None:
        self.assertRaises(WrongAnswer, self.length, b"250".ljust(LONGEST_LINE + 1))

    def test_with_nothing_to_say_the_exchange_is_an_echo(self) -> None:
        self.assertIsInstance(exchange_of(5, "", ""), Echo)
        self.assertEqual(exchange_of(5, "\xff", "2"), Line(b"\xff", b"2"))
