"""Dialect ``pop3`` after the upgrade, towards a plain backend (RFC 1939, 2449, 5034, 6856)."""

from __future__ import annotations

import enum
from collections import deque

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.filters import FilterFailed, LineFilter, Piece, text, turned_away

MOST_ASKED = 10_000
"""Commands that may wait for their answers; a client that asks for more has no end of them."""

_MULTI_LINE = {b"RETR", b"TOP"}
_MULTI_LINE_WITHOUT_ARGUMENT = {b"LIST", b"UIDL", b"AUTH", b"LANG"}
"""AUTH alone is in no RFC; servers have listed their mechanisms so since before CAPA was there."""


class _Answer(enum.Enum):
    """How a command is answered."""

    LINE = "by one line"
    LINES = "by lines up to a dot"
    CAPABILITIES = "by capabilities up to a dot"


class Pop3Filter(LineFilter):
    """Takes off the greeting and the capability STLS; has a second STLS refused.

    A message may have a line that reads like a capability, so replies are counted against the
    commands that they answer.  What is no reply answers none: a backend that has more to say than
    is known here does not put the count out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked: deque[_Answer] = deque()
        self._within = _Answer.LINE
        self._challenged = False
        self._after_crlf = True

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        if not self.ready:
            if piece is not Piece.LINE or not line.startswith(b"+OK"):
                raise turned_away(line)
            self.ready = True
            return b""
        if piece is Piece.PART:
            return line
        after_crlf, self._after_crlf = self._after_crlf, line.endswith(b"\r\n")
        if piece is not Piece.LINE:
            return line
        if self._within is not _Answer.LINE:
            # A dot behind a bare LF is one of a message, whatever a reader makes of it.
            if line == b".\r\n" and after_crlf:
                self._within = _Answer.LINE
            elif self._within is _Answer.CAPABILITIES and text(line).strip().upper() == b"STLS":
                return b""
            return line
        if line.startswith(b"+ ") or text(line) == b"+":
            self._challenged = True
        elif self._asked and line.startswith((b"+OK", b"-ERR")):
            expected = self._asked.popleft()
            self._within = expected if line.startswith(b"+OK") else _Answer.LINE
        return line

    def _command(self, line: bytes, piece: Piece) -> bytes:
        if piece is Piece.PART:
            return line
        if self._challenged:
            self._challenged = False
            return line
        words = text(line).upper().split() if piece is Piece.LINE else []
        if len(self._asked) >= MOST_ASKED:
            raise FilterFailed(
                f"the client has asked {MOST_ASKED} times without waiting for an answer",
                Cause.PROTOCOL_ERROR,
            )
        self._asked.append(_answer_to(words))
        return b"X" + line if words[:1] == [b"STLS"] else line


def _answer_to(words: list[bytes]) -> _Answer:
    verb = words[0] if words else b""
    if verb == b"CAPA":
        return _Answer.CAPABILITIES
    alone = len(words) == 1
    if verb in _MULTI_LINE or (alone and verb in _MULTI_LINE_WITHOUT_ARGUMENT):
        return _Answer.LINES
    return _Answer.LINE
