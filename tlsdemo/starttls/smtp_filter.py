"""Dialects ``smtp`` and ``lmtp`` after the upgrade, towards a plain backend (RFC 5321)."""

from __future__ import annotations

import enum

from tlsdemo.starttls.filters import LineFilter, Piece, text, turned_away


class _Client(enum.Enum):
    """What the client's next line is."""

    COMMAND = "a command"
    CONTENT = "a line of the message"
    ANSWER = "an answer to a challenge"


class SmtpFilter(LineFilter):
    """Takes off the greeting and the offer of STARTTLS; has a second STARTTLS refused.

    Which of the client's lines are commands is told by the backend's replies: only 354 asks for a
    message and only 334 for an answer, and no client may send either before it is asked.  BDAT
    (RFC 3030) tells its own length.

    A message ends in CRLF, a dot, CRLF, and nothing else does (RFC 5321, 4.1.1.4).  Servers differ
    about a bare LF or CR there, and who can hide the end of a message from one server and show it
    to the next smuggles a second one.  So the backend gets nothing to differ about: every line ends
    in CRLF, a CR within one becomes a space, and a dot whose line does not begin and end in CRLF
    is doubled, which makes it a dot of the message.  Postfix does the same
    (``smtpd_forbid_bare_newline = normalize``, ``cleanup_replace_stray_cr_lf``).
    """

    def __init__(self) -> None:
        super().__init__()
        self._client = _Client.COMMAND
        self._held = b""
        self._after_crlf = True

    def rest_of_backend(self) -> bytes:
        """Return what has been held back for the client: also a line that was not yet known."""
        held, self._held = self._held, b""
        return held + super().rest_of_backend()

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        code, separator = line[:3], line[3:4]
        if not self.ready:
            if piece is not Piece.LINE or code != b"220":
                raise turned_away(line)
            self.ready = separator != b"-"
            return b""
        held, self._held = self._held, b""
        if piece is not Piece.LINE:
            return held + line
        if code == b"354":
            self._client = _Client.CONTENT
        elif code == b"334":
            self._client = _Client.ANSWER
        if code == b"250" and text(line[4:]).strip().upper() == b"STARTTLS":
            if separator == b"-":
                self._held = held
                return b""
            # The last of several lines goes, so the one before it becomes the last.
            return held[:3] + b" " + held[4:] if held else b"250 OK\r\n"
        if code == b"250" and separator == b"-":
            self._held = line
            return held
        return held + line

    def _command(self, line: bytes, piece: Piece) -> bytes:
        if piece is Piece.CONTENT:
            return line
        if piece is Piece.PART:
            return line.replace(b"\r", b" ")
        after_crlf, self._after_crlf = self._after_crlf, line.endswith(b"\r\n")
        body = text(line).replace(b"\r", b" ")
        if piece is Piece.LINE and body == b".":
            return self._dot(after_crlf and self._after_crlf)
        return self._whole(body, piece) + b"\r\n"

    def _dot(self, is_end: bool) -> bytes:
        if not is_end:
            return b"..\r\n"
        self._client = _Client.COMMAND
        return b".\r\n"

    def _whole(self, body: bytes, piece: Piece) -> bytes:
        if self._client is _Client.CONTENT:
            return body
        if self._client is _Client.ANSWER:
            self._client = _Client.COMMAND
            return body
        if piece is Piece.END:
            return body
        words = body.upper().split()
        if words[:1] == [b"STARTTLS"]:
            return b"X" + body
        if words[:1] == [b"BDAT"] and len(words) > 1 and words[1].isdigit():
            if len(words[1]) > _MOST_DIGITS:
                return b"X" + body
            self._commands.pass_next(int(words[1]))
            self._after_crlf = True
        return body


_MOST_DIGITS = 18
