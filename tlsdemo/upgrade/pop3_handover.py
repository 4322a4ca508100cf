"""Dialect ``pop3`` after the upgrade, towards a plain backend (RFC 1939, 2449, 5034, 6856)."""

from __future__ import annotations

from collections import deque

from tlsdemo.upgrade.handover import LineHandover, Piece, text, turned_away

_MULTI_LINE = {b"CAPA", b"RETR", b"TOP"}
_MULTI_LINE_WITHOUT_ARGUMENT = {b"LIST", b"UIDL", b"AUTH", b"LANG"}
"""AUTH alone is in no RFC; servers have listed their mechanisms so since before CAPA was there."""


class Pop3Handover(LineHandover):
    """Takes off the greeting and the capability STLS; has a second STLS refused.

    A message may have a line that reads like a capability, so replies are counted against the
    commands that they answer.  What is no reply answers none: a backend that has more to say than
    is known here does not put the count out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked: deque[tuple[bytes, bool]] = deque()
        self._within: bytes | None = None
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
        if self._within is not None:
            # A dot behind a bare LF is one of a message, whatever a reader makes of it.
            if line == b".\r\n" and after_crlf:
                self._within = None
            elif self._within == b"CAPA" and text(line).strip().upper() == b"STLS":
                return b""
            return line
        if line.startswith(b"+ ") or text(line) == b"+":
            self._challenged = True
        elif self._asked and line.startswith((b"+OK", b"-ERR")):
            verb, multi_line = self._asked.popleft()
            self._within = verb if multi_line and line.startswith(b"+OK") else None
        return line

    def _command(self, line: bytes, piece: Piece) -> bytes:
        if piece is Piece.PART:
            return line
        if self._challenged:
            self._challenged = False
            return line
        words = text(line).upper().split() if piece is Piece.LINE else []
        verb = words[0] if words else b""
        alone = len(words) == 1
        multi_line = verb in _MULTI_LINE or (alone and verb in _MULTI_LINE_WITHOUT_ARGUMENT)
        self._asked.append((verb, multi_line))
        return b"X" + line if verb == b"STLS" else line
