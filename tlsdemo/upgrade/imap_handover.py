"""Dialect ``imap`` after the upgrade, towards a plain backend (RFC 9051)."""

from __future__ import annotations

from tlsdemo.upgrade.handover import LineHandover, Piece, text, turned_away

_ONLY_BEFORE_TLS = {b"STARTTLS", b"LOGINDISABLED"}
_UNTAGGED = b"* CAPABILITY "
_CODE = b"[CAPABILITY "


class ImapHandover(LineHandover):
    """Takes off the greeting and what is offered only before TLS; has a second STARTTLS refused.

    Literals, which may hold anything, are not looked at, in either direction; unless the backend
    was asked first (RFC 9051, section 4.3) and said no, as then none comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._in_response = False
        self._in_command = False
        self._asking = False

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        if not self.ready:
            if piece is not Piece.LINE or not line.upper().startswith(b"* OK"):
                raise turned_away(line)
            self.ready = True
            return b""
        if piece not in _ENDS:
            return line
        begins = piece is Piece.LINE and not self._in_response
        if begins and self._asking and not line.startswith(b"*"):
            self._asking = False
            if not line.startswith(b"+"):
                self._in_command = False
                self._commands.pass_next(0)
        size = literal_size(line)
        self._in_response = size is not None
        self._replies.pass_next(size or 0)
        return _without_offers(line) if begins else line

    def _command(self, line: bytes, piece: Piece) -> bytes:
        if piece not in _ENDS:
            return line
        begins = piece is Piece.LINE and not self._in_command
        size = literal_size(line)
        self._in_command = size is not None
        self._asking = size is not None and not text(line).endswith(b"+}")
        self._commands.pass_next(size or 0)
        tag, space, rest = line.partition(b" ")
        if begins and text(rest).strip().upper() == b"STARTTLS":
            return tag + space + b"X" + rest
        return line


def literal_size(line: bytes) -> int | None:
    """Return the length of the literal that a line announces at its end (RFC 9051, 4.3)."""
    _, brace, size = text(line).rpartition(b"{")
    if not brace or not size.endswith(b"}"):
        return None
    digits = size[:-1].removesuffix(b"+")
    return int(digits) if digits.isdigit() and len(digits) <= _MOST_DIGITS else None


def _without_offers(line: bytes) -> bytes:
    upper = line.upper()
    if upper.startswith(_UNTAGGED):
        body, end = text(line), line[len(text(line)) :]
        return b" ".join(word for word in body.split(b" ") if not _is_offer(word)) + end
    start = upper.find(_CODE)
    stop = line.find(b"]", start)
    # A response code is the first thing behind the status: "tag OK [" or "* OK [".
    if start < 0 or stop < 0 or len(line[:start].split()) != _WORDS_BEFORE_A_CODE:
        return line
    words = line[start:stop].split(b" ")
    return line[:start] + b" ".join(w for w in words if not _is_offer(w)) + line[stop:]


def _is_offer(word: bytes) -> bool:
    return word.upper() in _ONLY_BEFORE_TLS


_ENDS = (Piece.LINE, Piece.END)
_WORDS_BEFORE_A_CODE = 2
_MOST_DIGITS = 18
