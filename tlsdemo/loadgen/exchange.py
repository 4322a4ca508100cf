"""Messages, and what their answers have to be."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

_NUMBERS = 251
"""How many messages differ before the first comes again."""

LONGEST_LINE = 1 << 16
"""Bytes of an answer of one line, at most."""


class WrongAnswer(Exception):
    """The answer is not what it has to be; the text says what it is."""


class Exchange(Protocol):
    """The messages of every connection, and how their answers are verified."""

    def message(self, number: int) -> bytes:
        """Return message ``number`` of a connection."""

    def length(self, received: bytearray, message: bytes) -> int:
        """Return the length of the answer to ``message`` that ``received`` begins with.

        0 if it is not complete.  Raises WrongAnswer.
        """


class Echo:
    """Random messages of ``size`` bytes that differ from their neighbours, and come back equal."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._bytes = random.Random(0).randbytes(size + _NUMBERS - 1)

    def message(self, number: int) -> bytes:
        """Return ``size`` bytes."""
        start = number % _NUMBERS
        return self._bytes[start : start + self._size]

    def length(self, received: bytearray, message: bytes) -> int:
        """Return the length of the echo, once it is complete; raises WrongAnswer at once."""
        if received.startswith(message):
            return self._size
        if message.startswith(received):
            return 0
        raise WrongAnswer("what came back is not what was sent; does the server echo?")


@dataclass(frozen=True)
class Line:
    """The same message each time, and an answer of one line that begins with ``expect``."""

    say: bytes
    expect: bytes

    def message(self, number: int) -> bytes:
        """Return what to say."""
        return self.say

    def length(self, received: bytearray, message: bytes) -> int:
        """Return the length of the line, once it is complete; raises WrongAnswer at once."""
        end = received.find(b"\n") + 1
        begun = received[: len(self.expect)]
        if not self.expect.startswith(begun):
            line = bytes(received[: end or None])
            raise WrongAnswer(f"{line!r:.100} does not begin with {self.expect!r}")
        if not end and len(received) > LONGEST_LINE:
            raise WrongAnswer(f"an answer of more than {LONGEST_LINE} bytes is no line")
        return end


def exchange_of(size: int, say: str, expect: str) -> Exchange:
    """Return an echo of ``size`` bytes, or the lines ``say`` and ``expect`` (ISO 8859-1)."""
    return Line(say.encode("latin-1"), expect.encode("latin-1")) if say else Echo(size)
