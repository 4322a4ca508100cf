"""After the upgrade: the plain protocol goes on with a backend that had no part in it.

Theory of operation.  A proxy ends the upgrade by itself and connects to its backend only once the
client is secure, so nobody who is not gets that far.  The backend then greets a client that has
been greeted already, and may offer TLS to one that has it.  A handover sets that right, on both
ways: the backend's greeting is taken off, and the dialect's offer of TLS is taken out of what the
backend says; everything else is the backend's own word.  That is enough for both sides to agree:
every dialect here has the client forget what it learned before TLS and ask anew (RFC 3207, 4.2;
RFC 9051, 6.2.1; RFC 2595, 4).

A second request for TLS is passed on under a name that no backend knows.  The backend refuses
that, in its own words and in the right place among its other answers.
"""

from __future__ import annotations

import enum
from abc import abstractmethod

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import MAX_LINE


class FilterFailed(Exception):
    """The two cannot go on with each other: the text says why, and ``cause`` whose doing it is.

    ``BACKEND_REFUSED``: the backend does not want this client, or does not speak the dialect;
    ``PROTOCOL_ERROR``: the client does what it may not.
    """

    def __init__(self, problem: str, cause: Cause = Cause.BACKEND_REFUSED) -> None:
        super().__init__(problem)
        self.cause = cause


class ProtocolFilter:
    """Passes everything on as it is: for dialects in which the client speaks first."""

    ready = True
    """Whether the backend has greeted, if it does; before that, nothing is to be said to it."""

    def from_backend(self, data: bytes) -> bytes:
        """Return what of the backend's ``data`` goes to the client.

        Raises FilterFailed if the backend's greeting turns the client away.
        """
        return data

    def from_client(self, data: bytes) -> bytes:
        """Return what of the client's ``data`` goes to the backend.

        Raises FilterFailed if the client does what it may not.
        """
        return data

    def rest_of_backend(self) -> bytes:
        """Return what has been held back for the client, of a backend that says no more."""
        return b""

    def rest_of_client(self) -> bytes:
        """Return what has been held back for the backend, of a client that says no more."""
        return b""


class Piece(enum.Enum):
    """What a piece of a stream of lines is."""

    LINE = "a whole line"
    PART = "a part of a long line"
    END = "the end of a long line"
    CONTENT = "bytes that are no line"


_MOST_OF_AN_END = 64
"""Bytes at its end in which a long line may announce what follows it: they stay together."""


_MOST_QUOTED = 80
"""Bytes of a backend's greeting that are quoted."""


class Lines:
    """Cuts a stream into lines, with their ends, and passages of a given length.

    A line of more than ``most`` bytes is handed on in parts, so that nothing has to be kept; all
    but the last few bytes of what has come.  What is a line and what a part of one does not depend
    on how the stream arrives.
    """

    def __init__(self, most: int = MAX_LINE) -> None:
        self._most = most
        self._input = bytearray()
        self._verbatim = 0
        self._long = False

    def feed(self, data: bytes) -> None:
        """Add to the input."""
        self._input += data

    def pass_next(self, size: int) -> None:
        """Have the next ``size`` bytes not looked at."""
        self._verbatim = size

    def take(self) -> tuple[bytes, Piece] | None:
        """Return the next piece and what it is; ``None`` if none is complete."""
        if not self._input:
            return None
        if self._verbatim:
            piece = self._cut(min(self._verbatim, len(self._input)))
            self._verbatim -= len(piece)
            return piece, Piece.CONTENT
        end = self._input.find(b"\n") + 1
        if not self._long and 0 < end <= self._most:
            return self._cut(end), Piece.LINE
        self._long = self._long or len(self._input) > self._most
        if self._long and end:
            self._long = False
            return self._cut(end), Piece.END
        spare = len(self._input) - _MOST_OF_AN_END
        return (self._cut(spare), Piece.PART) if self._long and spare > 0 else None

    def rest(self) -> bytes:
        """Return what has come and is no complete piece, when nothing more will come."""
        return self._cut(len(self._input))

    def _cut(self, size: int) -> bytes:
        piece = bytes(self._input[:size])
        del self._input[:size]
        return piece


class LineFilter(ProtocolFilter):
    """A handover of a dialect of lines, in which the backend greets."""

    def __init__(self) -> None:
        self.ready = False
        self._replies = Lines()
        self._commands = Lines()

    def from_backend(self, data: bytes) -> bytes:
        """Return what of the backend's replies goes to the client."""
        self._replies.feed(data)
        passed = []
        while (taken := self._replies.take()) is not None:
            passed.append(self._reply(*taken))
        return b"".join(passed)

    def from_client(self, data: bytes) -> bytes:
        """Return what of the client's commands goes to the backend."""
        self._commands.feed(data)
        passed = []
        while (taken := self._commands.take()) is not None:
            passed.append(self._command(*taken))
        return b"".join(passed)

    def rest_of_backend(self) -> bytes:
        """Return what has been held back for the client: a line without its end."""
        return self._replies.rest()

    def rest_of_client(self) -> bytes:
        """Return what has been held back for the backend: a line without its end."""
        return self._commands.rest()

    @abstractmethod
    def _reply(self, line: bytes, piece: Piece) -> bytes:
        """Return what of a piece of the backend's goes to the client."""

    @abstractmethod
    def _command(self, line: bytes, piece: Piece) -> bytes:
        """Return what of a piece of the client's goes to the backend."""


def turned_away(greeting: bytes) -> FilterFailed:
    """Return what to raise about a greeting that is none, or not for this client."""
    quoted = ascii(text(greeting)[:_MOST_QUOTED])[1:]
    return FilterFailed(f"the backend's greeting is {quoted}")


def text(line: bytes) -> bytes:
    """Return a line without its end."""
    return line.removesuffix(b"\n").removesuffix(b"\r")
