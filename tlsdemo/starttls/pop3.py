"""Dialect ``pop3``: STLS (RFC 2595, section 4, with the commands of RFC 1939 and RFC 2449)."""

from __future__ import annotations

import enum
from collections import deque

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import FilterFailed, LineFilter, Piece, may_be_command, text
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table

_SERVER: Table = {
    (State.START, CONNECTED): Rule(State.GREETED, b"+OK {own}\r\n"),
    (State.GREETED, "CAPA"): Rule(State.GREETED, b"+OK Capability list follows\r\nSTLS\r\n.\r\n"),
    (State.GREETED, "QUIT"): Rule(
        State.REFUSED, b"+OK Bye\r\n", Cause.PROBE, "the client sent QUIT"
    ),
    (State.GREETED, "STLS"): Rule(State.SWITCHED, b"+OK Begin TLS negotiation now\r\n"),
    (State.GREETED, "STLS …"): Rule(State.GREETED, b"-ERR STLS has no arguments\r\n"),
    (State.GREETED, OTHER): Rule(State.GREETED, b"-ERR Say STLS first\r\n"),
}


class Pop3Server(CommandNegotiation):
    """The server: serves nothing but STLS in plaintext."""

    table = _SERVER
    refusal = b"-ERR Plain bytes where TLS was to start\r\n"
    unavailable = b"-ERR [SYS/TEMP] Service not available, try again later\r\n"


def _client_table() -> Table:
    def refused(detail: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", cause, detail)

    return {
        (State.START, "+OK"): Rule(State.GREETED, b"CAPA\r\n"),
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETED, "+OK"): Rule(State.LISTING),
        (State.GREETED, "-ERR"): refused(
            "the server answered CAPA with {reply}", Cause.NO_STARTTLS
        ),
        (State.GREETED, OTHER): refused("the server answered CAPA with {reply}"),
        (State.LISTING, "STLS"): Rule(State.OFFERED),
        (State.LISTING, "."): refused("the server does not offer STLS", Cause.NO_STARTTLS),
        (State.LISTING, OTHER): Rule(State.LISTING),
        (State.OFFERED, "."): Rule(State.REQUESTED, b"STLS\r\n"),
        (State.OFFERED, OTHER): Rule(State.OFFERED),
        (State.REQUESTED, "+OK"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): refused("the server answered STLS with {reply}"),
    }


class Pop3Client(LineNegotiation):
    """The client: continues only if the server's capabilities include STLS and it is granted."""

    table = _client_table()
    is_client = True
    refusal = b"QUIT\r\n"

    def _parse(self, line: bytes) -> Message:
        first = line.split(b" ", 1)[0]
        if line == b".":
            name = "."
        elif first in (b"+OK", b"-ERR"):
            name = first.decode("ascii")
        else:
            name = "STLS" if first.upper() == b"STLS" else OTHER
        return Message(name, {b"reply": line})


MAX_PIPELINED = 10_000
"""Limit of the commands that a client may send without waiting for their answers."""

_RESERVED = (b"STLS", b"XCLIENT")
"""Commands that no client may give to the backend."""

_MULTI_LINE = {b"RETR", b"TOP"}
_MULTI_LINE_WITHOUT_ARGUMENT = {b"LIST", b"UIDL", b"AUTH", b"LANG"}
"""AUTH without an argument is in no RFC; it listed the mechanisms before CAPA existed."""


class _Answer(enum.Enum):
    """How a command is answered."""

    LINE = "by one line"
    LINES = "by lines up to a dot"
    CAPABILITIES = "by capabilities up to a dot"


class Pop3Filter(LineFilter):
    """Removes the greeting and the capability STLS; rejects a second STLS.

    XCLIENT is treated like STLS: with it, a proxy tells Dovecot whom it shall take it for.

    A mail message may contain a line that looks like a capability, so replies are matched with the
    commands that they answer.  A line that is not a reply answers no command, so a backend that
    sends more than this filter knows of does not upset the count.
    (RFC 1939, RFC 2449, RFC 5034, RFC 6856.)

    When a SASL security layer begins, everything passes unchanged.
    """

    welcomes = (b"+OK",)
    rejections = (b"-ERR",)

    def __init__(self, greeted: bool = True) -> None:
        super().__init__(greeted)
        self._unanswered: deque[_Answer] = deque()
        self._inside = _Answer.LINE
        self._challenged = False
        self._after_crlf = True
        self._goes_on = False

    def _reply_is_next(self) -> bool:
        return self._inside is _Answer.LINE

    def _command_is_next(self) -> bool:
        return not self._challenged

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        if piece is Piece.PART:
            return line
        after_crlf, self._after_crlf = self._after_crlf, line.endswith(b"\r\n")
        if piece is not Piece.LINE:
            return line
        if self._inside is not _Answer.LINE:
            # After a bare LF, a dot is part of the mail message, whatever a reader makes of it.
            if line == b".\r\n" and after_crlf:
                self._inside = _Answer.LINE
            elif self._inside is _Answer.CAPABILITIES and text(line).strip().upper() == b"STLS":
                return b""
            return line
        if line.startswith(b"+ ") or text(line) == b"+":
            self._challenged = True
        elif self._unanswered and line.startswith((b"+OK", b"-ERR")):
            expected = self._unanswered.popleft()
            self._inside = expected if line.startswith(b"+OK") else _Answer.LINE
        return line

    def _command(self, line: bytes, piece: Piece) -> bytes:
        goes_on, self._goes_on = self._goes_on, piece is Piece.PART
        if piece is not Piece.LINE and not goes_on and may_be_command(line, _RESERVED):
            line = b"X" + line
        if piece is Piece.PART:
            return line
        words = text(line).upper().split() if piece is Piece.LINE else []
        if self._challenged:
            self._challenged = False
            # An answer is one word; with more, the backend may take it for a command.
            return b"X" + line if len(words) > 1 and words[0] in _RESERVED else line
        if len(self._unanswered) >= MAX_PIPELINED:
            raise FilterFailed(
                f"the client has sent {MAX_PIPELINED} commands without waiting for an answer",
                Cause.PROTOCOL_ERROR,
            )
        self._unanswered.append(_answer_to(words))
        return b"X" + line if words and words[0] in _RESERVED else line


def _answer_to(words: list[bytes]) -> _Answer:
    verb = words[0] if words else b""
    if verb == b"CAPA":
        return _Answer.CAPABILITIES
    alone = len(words) == 1
    if verb in _MULTI_LINE or (alone and verb in _MULTI_LINE_WITHOUT_ARGUMENT):
        return _Answer.LINES
    return _Answer.LINE


DIALECT = Dialect(
    name="pop3",
    server=Pop3Server,
    client=Pop3Client,
    source="RFC 2595",
    protocol_filter=Pop3Filter,
)
