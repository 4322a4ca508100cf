"""Dialect ``imap`` after the upgrade, towards a plain backend (RFC 9051)."""

from __future__ import annotations

import enum

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.filters import FilterFailed, LineFilter, Piece, text, turned_away

_ONLY_BEFORE_TLS = {b"STARTTLS", b"LOGINDISABLED"}
_DO_NOT_WAIT = {b"LITERAL+", b"LITERAL-", b"IMAP4REV2"}
"""What a backend offers that takes literals without asking for them (RFC 7888; RFC 9051, 4.3)."""
_UNTAGGED = b"* CAPABILITY "
_CODE = b"[CAPABILITY "


class _Client(enum.Enum):
    """What the client sends next."""

    COMMAND = "a command"
    REST = "the rest of a command, behind a literal"
    NOTHING = "nothing, until it is asked for a literal or the command is refused"


class ImapFilter(LineFilter):
    """Takes off the greeting and what is offered only before TLS; has a second STARTTLS refused.

    Literals, which may hold anything, are not looked at, in either direction.  What follows a
    client's command is a literal only if the backend takes it for one: it has asked for it, or it
    offers to take literals unasked.  Otherwise it is a command.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begins = True
        self._client = _Client.COMMAND
        self._tag = b""
        self._size = 0
        self._takes_unasked = False

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        if not self.ready:
            if piece is not Piece.LINE or not line.upper().startswith(b"* OK"):
                raise turned_away(line)
            self.ready = True
            self._without_offers(line)
            return b""
        if piece is Piece.CONTENT:
            return line
        begins, self._begins = self._begins, False
        if begins and self._client is _Client.NOTHING:
            self._answer(line)
        if piece is Piece.PART:
            return line
        size = literal_size(line)
        self._begins = size is None
        self._replies.pass_next(size or 0)
        return self._without_offers(line) if begins and piece is Piece.LINE else line

    def _answer(self, line: bytes) -> None:
        """Note what is said about the literal that waits, if this is about it."""
        words = text(line).split(b" ", 2)
        if line.startswith(b"+"):
            self._client = _Client.REST
            self._commands.pass_next(self._size)
        elif words[0] == self._tag or [word.upper() for word in words[:2]] == [b"*", b"BAD"]:
            self._client = _Client.COMMAND

    def _command(self, line: bytes, piece: Piece) -> bytes:
        if piece is Piece.CONTENT:
            return line
        if self._client is _Client.NOTHING:
            raise FilterFailed(
                "the client has not waited to be asked for a literal", Cause.PROTOCOL_ERROR
            )
        begins, self._client = self._client is _Client.COMMAND, _Client.REST
        tag, space, rest = line.partition(b" ")
        if begins:
            self._tag = text(tag)
        if piece is Piece.PART:
            return line
        self._expect(line)
        is_request = text(rest).strip().upper() == b"STARTTLS"
        if begins and piece is Piece.LINE and is_request:
            return tag + space + b"X" + rest
        return line

    def _expect(self, line: bytes) -> None:
        size = literal_size(line)
        if size is None:
            self._client = _Client.COMMAND
        elif not text(line).endswith(b"+}"):
            self._client = _Client.NOTHING
            self._size = size
        elif self._takes_unasked:
            self._commands.pass_next(size)
        else:
            self._client = _Client.COMMAND

    def _without_offers(self, line: bytes) -> bytes:
        start, stop = _capabilities(line)
        words = line[start:stop].split(b" ")
        if any(word.upper() in _DO_NOT_WAIT for word in words):
            self._takes_unasked = True
        return line[:start] + b" ".join(w for w in words if not _is_offer(w)) + line[stop:]


def literal_size(line: bytes) -> int | None:
    """Return the length of the literal that a line announces at its end (RFC 9051, 4.3)."""
    _, brace, size = text(line).rpartition(b"{")
    if not brace or not size.endswith(b"}"):
        return None
    digits = size[:-1].removesuffix(b"+")
    return int(digits) if digits.isdigit() and len(digits) <= _MOST_DIGITS else None


def _capabilities(line: bytes) -> tuple[int, int]:
    """Return where in a line capabilities begin and end."""
    upper = line.upper()
    if upper.startswith(_UNTAGGED):
        return 0, len(text(line))
    start = upper.find(_CODE)
    stop = line.find(b"]", start)
    # A response code is the first thing behind the status: "tag OK [" or "* OK [".
    if start < 0 or stop < 0 or len(line[:start].split()) != _WORDS_BEFORE_A_CODE:
        return 0, 0
    return start, stop


def _is_offer(word: bytes) -> bool:
    return word.upper() in _ONLY_BEFORE_TLS


_WORDS_BEFORE_A_CODE = 2
_MOST_DIGITS = 18
