"""Protocol filters: how a protocol continues with a backend that took no part in the upgrade.

Theory of operation.  The proxy terminates the upgrade itself and connects to its backend only once
the client is secure, so nobody else gets that far.  The backend then greets a client that may have
been greeted before, and may offer TLS to one that already has it.  A protocol filter reconciles
them in both directions: it removes the backend's greeting, and the offer of TLS from what the
backend sends.  Everything else passes unchanged.  That is enough, because every dialect requires
the client to discard what it learned before TLS and to ask again (RFC 3207, section 4.2; RFC 9051,
section 6.2.1; RFC 2595, section 4).

A client that began with TLS (``--dialect=auto:…``) has not been greeted, so the backend's greeting
is for it, without offers of TLS.  So is a greeting that rejects the client: it says why.

A stream may stop being lines: it is compressed (RFC 4978), or SASL has negotiated a security layer
(RFC 4422, section 3.7).  From there on a filter passes both directions unchanged, or fails if that
would let something through; it never waits for the end of a line that does not come.  A mechanism
does not reveal whether it has negotiated a layer.  But each of the layer's buffers begins with its
length in four bytes, and no mechanism allows 2**24 bytes, so the first byte is zero.  No command
and no reply begins with that.

A second request for TLS is passed on under a name that no backend knows.  The backend then rejects
it in its own words, and in the right order among its other answers.
"""

from __future__ import annotations

import enum
import sys
from abc import abstractmethod
from typing import ClassVar

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import MAX_LINE


class FilterFailed(Exception):
    """Client and backend cannot continue: the text says why, ``cause`` which of them is at fault.

    ``BACKEND_REFUSED``: the backend rejects the client, or does not speak the protocol.
    ``PROTOCOL_ERROR``: the client violates the protocol.
    """

    def __init__(self, problem: str, cause: Cause = Cause.BACKEND_REFUSED) -> None:
        super().__init__(problem)
        self.cause = cause


class ProtocolFilter:
    """Passes everything unchanged: for protocols in which the client speaks first.

    ``greeted``: whether the client has been greeted before TLS.
    """

    ready = True
    """Whether the backend has greeted, if its protocol has a greeting.

    Nothing must be sent to the backend before that.
    """

    def __init__(self, greeted: bool = True) -> None:
        self._greeted = greeted

    def from_backend(self, data: bytes) -> bytes:
        """Return what is to be sent to the client for ``data`` from the backend.

        Raises FilterFailed if the backend's greeting rejects a client that has been greeted, or is
        not a greeting.
        """
        return data

    def from_client(self, data: bytes) -> bytes:
        """Return what is to be sent to the backend for ``data`` from the client.

        Raises FilterFailed if the client violates the protocol.
        """
        return data

    def rest_of_backend(self) -> bytes:
        """Return what was held back for the client, when the backend will send no more."""
        return b""

    def rest_of_client(self) -> bytes:
        """Return what was held back for the backend, when the client will send no more."""
        return b""


class Piece(enum.Enum):
    """What a piece of a stream of lines is."""

    LINE = "a whole line"
    PART = "a part of a long line"
    END = "the end of a long line"
    CONTENT = "bytes that are no line"


_KEPT_OF_LONG_LINE = 64
"""Bytes at the end of a long line that stay together: they may announce what follows the line."""

_LAYER = b"\0"
"""The first byte of a buffer of a SASL security layer."""

_MOST_QUOTED = 80
"""Bytes of a backend's greeting that are quoted."""


class Lines:
    """Splits a stream into lines, with their ends, and passages of a known length.

    A line of more than ``most`` bytes is returned in parts as it arrives, all but its last few
    bytes, so that memory stays bounded.  Whether a line is returned whole or in parts does not
    depend on how the stream is split into pieces.
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
        """Return the next ``size`` bytes as content, without looking for lines in them."""
        self._verbatim = size

    def begin_with(self, start: bytes) -> bool:
        """Whether the next piece is the beginning of a line, and begins with ``start``."""
        return not self._long and not self._verbatim and self._input.startswith(start)

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
        spare = len(self._input) - _KEPT_OF_LONG_LINE
        return (self._cut(spare), Piece.PART) if self._long and spare > 0 else None

    def rest(self) -> bytes:
        """Return what is left of the input, when no more will come."""
        return self._cut(len(self._input))

    def _cut(self, size: int) -> bytes:
        piece = bytes(self._input[:size])
        del self._input[:size]
        return piece


class LineFilter(ProtocolFilter):
    """A protocol filter for a protocol of lines in which the server greets.

    ``max_line``: the longest line that subclasses receive whole.  ``welcomes`` and ``rejections``:
    how the greetings begin that accept a client, and those that do not, in upper case.
    """

    max_line = MAX_LINE
    welcomes: ClassVar[tuple[bytes, ...]]
    rejections: ClassVar[tuple[bytes, ...]]

    def __init__(self, greeted: bool = True) -> None:
        super().__init__(greeted)
        self.ready = False
        self._replies = Lines(self.max_line)
        self._commands = Lines(self.max_line)

    def from_backend(self, data: bytes) -> bytes:
        """Return what is to be sent to the client for ``data`` from the backend."""
        self._replies.feed(data)
        passed: list[bytes] = []
        while True:
            if self._reply_is_next() and self._replies.begin_with(_LAYER):
                self._pass_everything()
            if (taken := self._replies.take()) is None:
                return b"".join(passed)
            if taken[1] is Piece.CONTENT:
                passed.append(taken[0])
            else:
                passed.append(self._reply(*taken) if self.ready else self._greeting(*taken))

    def from_client(self, data: bytes) -> bytes:
        """Return what is to be sent to the backend for ``data`` from the client."""
        self._commands.feed(data)
        passed: list[bytes] = []
        while True:
            if self._command_is_next() and self._commands.begin_with(_LAYER):
                self._begin_layer()
            if (taken := self._commands.take()) is None:
                return b"".join(passed)
            passed.append(taken[0] if taken[1] is Piece.CONTENT else self._command(*taken))

    def rest_of_backend(self) -> bytes:
        """Return what was held back for the client: a line without its end."""
        return self._replies.rest()

    def rest_of_client(self) -> bytes:
        """Return what was held back for the backend: a line without its end."""
        return self._commands.rest()

    def _reply_is_next(self) -> bool:
        """Whether the backend's next line is a reply, in a protocol that has SASL layers."""
        return False

    def _command_is_next(self) -> bool:
        """Whether the client's next line is a command, in a protocol that has SASL layers."""
        return False

    def _begin_layer(self) -> None:
        """A buffer of a SASL security layer begins where the client's next command should be."""
        self._pass_everything()

    def _pass_everything(self) -> None:
        """From here on, pass both directions unchanged."""
        self._replies.pass_next(sys.maxsize)
        self._commands.pass_next(sys.maxsize)

    def _greeting(self, line: bytes, piece: Piece) -> bytes:
        """Return what is to be sent to the client for a piece of the backend's greeting."""
        accepted = self.welcomes if self._greeted else self.welcomes + self.rejections
        if piece is not Piece.LINE or not line.upper().startswith(accepted):
            raise bad_greeting(line)
        self.ready = self._ends_greeting(line)
        passed = self._reply(line, piece)
        return b"" if self._greeted else passed

    def _ends_greeting(self, line: bytes) -> bool:
        """Whether a line is the last one of a greeting."""
        return True

    @abstractmethod
    def _reply(self, line: bytes, piece: Piece) -> bytes:
        """Return what is to be sent to the client for a piece of a line from the backend."""

    def _command(self, line: bytes, piece: Piece) -> bytes:
        """Return what is to be sent to the backend for a piece of a line from the client."""
        return line


def bad_greeting(greeting: bytes) -> FilterFailed:
    """Return the exception for a greeting that rejects the client, or is not one."""
    quoted = ascii(text(greeting)[:_MOST_QUOTED])[1:]
    return FilterFailed(f"the backend's greeting is {quoted}")


def may_be_command(start: bytes, verbs: tuple[bytes, ...]) -> bool:
    """Whether a long line that begins with ``start`` may be one of these commands for a backend.

    It may ignore the rest of such a line, and white space before the verb.
    """
    verb, *rest = start.upper().split(None, 1) or [b""]
    return verb in verbs if rest else any(each.startswith(verb) for each in verbs)


def text(line: bytes) -> bytes:
    """Return a line without its end."""
    return line.removesuffix(b"\n").removesuffix(b"\r")
