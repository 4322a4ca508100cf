"""Dialect ``imap``: STARTTLS (RFC 9051, section 6.2.1, as in RFC 3501)."""

from __future__ import annotations

import enum

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import FilterFailed, LineFilter, Piece, text
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, ends_in_literal
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table

_OFFER = b"CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED"
_NO_LOGIN = b"{tag} NO [PRIVACYREQUIRED] Say STARTTLS first\r\n"

_NOT_IN_A_TAG = b'(){%*"\\+'
"""Printable characters that are not allowed in a tag (RFC 9051, section 9)."""

_LITERAL = "a literal"
_NO_TAG = "no tag"


_SERVER: Table = {
    (State.START, CONNECTED): Rule(State.GREETED, b"* OK [" + _OFFER + b"] {own}\r\n"),
    (State.GREETED, "CAPABILITY"): Rule(
        State.GREETED, b"* " + _OFFER + b"\r\n{tag} OK CAPABILITY completed\r\n"
    ),
    (State.GREETED, "NOOP"): Rule(State.GREETED, b"{tag} OK NOOP completed\r\n"),
    (State.GREETED, "LOGOUT"): Rule(
        State.REFUSED,
        b"* BYE {own}\r\n{tag} OK LOGOUT completed\r\n",
        Cause.PROBE,
        "the client sent LOGOUT",
    ),
    (State.GREETED, "LOGIN"): Rule(State.GREETED, _NO_LOGIN),
    (State.GREETED, "AUTHENTICATE"): Rule(State.GREETED, _NO_LOGIN),
    (State.GREETED, "STARTTLS"): Rule(State.SWITCHED, b"{tag} OK Begin TLS negotiation now\r\n"),
    (State.GREETED, "STARTTLS …"): Rule(State.GREETED, b"{tag} BAD STARTTLS has no arguments\r\n"),
    (State.GREETED, _LITERAL): Rule(
        State.REFUSED, b"* BYE No literals before TLS\r\n", detail="a literal before TLS"
    ),
    (State.GREETED, _NO_TAG): Rule(State.GREETED, b"* BAD A command begins with a tag\r\n"),
    (State.GREETED, OTHER): Rule(State.GREETED, b"{tag} BAD Say STARTTLS first\r\n"),
}


class ImapServer(CommandNegotiation):
    """The server: serves nothing but STARTTLS in plaintext, and above all no login.

    A non-synchronizing literal (``{5+}``) may be on its way before it could be rejected.  No
    command before TLS needs one, so it ends the connection.  A client that sends ``{5}`` waits, so
    its command is rejected like any other (RFC 9051, section 4.3).
    """

    table = _SERVER
    refusal = b"* BYE Plain bytes where TLS was to start\r\n"
    unavailable = b"* BYE [UNAVAILABLE] Service not available, try again later\r\n"

    def _parse(self, line: bytes) -> Message:
        tag, _, command = line.partition(b" ")
        if ends_in_literal(line) and line.endswith(b"+}"):
            return Message(_LITERAL)
        return self._command(command, {b"tag": tag}) if _is_tag(tag) else Message(_NO_TAG)


def _is_tag(word: bytes) -> bool:
    return bool(word) and all(0x20 < each < 0x7F and each not in _NOT_IN_A_TAG for each in word)


def _client_table() -> Table:
    def refused(detail: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"a3 LOGOUT\r\n", cause, detail)

    bye = Rule(State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server sent {reply}")
    table = {
        (State.START, "* OK"): Rule(State.GREETED, b"a1 CAPABILITY\r\n"),
        (State.START, "* PREAUTH"): refused("the server has logged us in in plaintext: {reply}"),
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETED, "a1 OK"): refused("the server does not offer STARTTLS", Cause.NO_STARTTLS),
        (State.OFFERED, "a1 OK"): Rule(State.REQUESTED, b"a2 STARTTLS\r\n"),
        (State.REQUESTED, "a2 OK"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): refused("the server answered STARTTLS with {reply}"),
    }
    for state in (State.START, State.GREETED, State.OFFERED, State.REQUESTED):
        table[state, "* BYE"] = bye
    for state in (State.GREETED, State.OFFERED):
        table |= {
            (state, "* CAPABILITY"): Rule(State.GREETED),
            (state, "* CAPABILITY with STARTTLS"): Rule(State.OFFERED),
            (state, "* …"): Rule(state),
            (state, OTHER): refused("the server answered CAPABILITY with {reply}"),
        }
    for name in ("* CAPABILITY", "* CAPABILITY with STARTTLS", "* …"):
        table[State.REQUESTED, name] = Rule(State.REQUESTED)
    return table


class ImapClient(LineNegotiation):
    """The client: continues only if the server's capabilities include STARTTLS and it is granted.

    It does not rely on the capabilities in the greeting.  After PREAUTH there can be no STARTTLS,
    so such a greeting ends the connection (RFC 9051, section 11.1).
    """

    table = _client_table()
    is_client = True
    longest_line = 8192
    """A server lists all its capabilities in one line (RFC 7162, section 4)."""
    refusal = b"a3 LOGOUT\r\n"

    def _parse(self, line: bytes) -> Message:
        fields = {b"reply": line}
        if ends_in_literal(line):
            return Message(OTHER, fields)
        tag, _, rest = line.partition(b" ")
        words = rest.upper().split(b" ")
        name = f"{_ascii(tag)} {_ascii(words[0])}"
        if tag == b"*" and self.state is not State.START and name not in ("* BYE", "* CAPABILITY"):
            name = "* …"
        if name == "* CAPABILITY" and b"STARTTLS" in words:
            name = "* CAPABILITY with STARTTLS"
        return Message(name, fields)


def _ascii(word: bytes) -> str:
    return word.decode("ascii", "replace")


_ONLY_BEFORE_TLS = {b"STARTTLS", b"LOGINDISABLED"}
_DO_NOT_WAIT = {b"LITERAL+", b"LITERAL-", b"IMAP4REV2"}
"""Capabilities of a backend that accepts literals unasked (RFC 7888; RFC 9051, section 4.3)."""
_UNTAGGED = b"* CAPABILITY "
_CODE = b"[CAPABILITY "


class _Expected(enum.Enum):
    """What the client may send next."""

    COMMAND = "a command"
    REST = "the rest of a command, after a literal"
    NOTHING = "nothing, until it is asked for a literal or the command is refused"


class ImapFilter(LineFilter):
    """Removes the greeting and the capabilities that exist only before TLS; rejects STARTTLS.

    Literals, which may contain anything, pass unchanged in both directions.  What follows a
    client's command is a literal only if the backend takes it for one: it has asked for it, or its
    capabilities say that it accepts literals unasked.  Otherwise it is a command.

    When the backend has agreed to compress, or a SASL security layer begins, everything passes
    unchanged: nothing depends on the filter then, because STARTTLS is not allowed any more.
    """

    welcomes = (b"* OK",)
    rejections = (b"* BYE", b"* PREAUTH")
    """PREAUTH is no rejection, but a client that has been greeted expects to log in."""

    def __init__(self, greeted: bool = True) -> None:
        super().__init__(greeted)
        self._begins = True
        self._expected = _Expected.COMMAND
        self._tag = b""
        self._size = 0
        self._accepts_unasked = False
        self._compress: bytes | None = None

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        begins, self._begins = self._begins, False
        if begins and self._expected is _Expected.NOTHING:
            self._note_answer(line)
        if piece is Piece.PART:
            return line
        size = literal_size(line)
        self._begins = size is None
        self._replies.pass_next(size or 0)
        if begins and self._compress is not None:
            self._note_compression(line)
        return self._without_offers(line) if begins and piece is Piece.LINE else line

    def _reply_is_next(self) -> bool:
        return self._begins

    def _command_is_next(self) -> bool:
        return self._expected is _Expected.COMMAND

    def _note_compression(self, line: bytes) -> None:
        """Pass everything if a reply says that the backend compresses from here on."""
        words = line.split(None, 2)
        if words[:1] == [self._compress]:
            self._compress = None
            if [word.upper() for word in words[1:2]] == [b"OK"]:
                self._pass_everything()

    def _note_answer(self, line: bytes) -> None:
        """Note whether a reply accepts or rejects the literal that the client has announced."""
        words = text(line).split(b" ", 2)
        if line.startswith(b"+"):
            self._expected = _Expected.REST
            self._commands.pass_next(self._size)
        elif words[0] == self._tag or [word.upper() for word in words[:2]] == [b"*", b"BAD"]:
            self._expected = _Expected.COMMAND

    def _command(self, line: bytes, piece: Piece) -> bytes:
        if self._expected is _Expected.NOTHING:
            raise FilterFailed(
                "the client has not waited to be asked for a literal", Cause.PROTOCOL_ERROR
            )
        begins, self._expected = self._expected is _Expected.COMMAND, _Expected.REST
        tag, space, rest = line.partition(b" ")
        if begins:
            self._tag = text(tag)
        if piece is Piece.PART:
            return line
        self._expect_after(line)
        if not begins or piece is not Piece.LINE:
            return line
        command = text(rest).strip().upper()
        if command == b"COMPRESS DEFLATE":
            self._compress = tag
        return tag + space + b"X" + rest if command == b"STARTTLS" else line

    def _expect_after(self, line: bytes) -> None:
        size = literal_size(line)
        if size is None:
            self._expected = _Expected.COMMAND
        elif not text(line).endswith(b"+}"):
            self._expected = _Expected.NOTHING
            self._size = size
        elif self._accepts_unasked:
            self._commands.pass_next(size)
        else:
            self._expected = _Expected.COMMAND

    def _without_offers(self, line: bytes) -> bytes:
        start, stop = _capabilities(line)
        words = line[start:stop].split(b" ")
        if stop:
            # Capabilities may change, and a server lists all of them.
            self._accepts_unasked = any(word.upper() in _DO_NOT_WAIT for word in words)
        return line[:start] + b" ".join(w for w in words if not _is_offer(w)) + line[stop:]


def literal_size(line: bytes) -> int | None:
    """Return the length of the literal that a line announces at its end (RFC 9051, 4.3)."""
    _, brace, size = text(line).rpartition(b"{")
    if not brace or not size.endswith(b"}"):
        return None
    digits = size[:-1].removesuffix(b"+")
    return int(digits) if digits.isdigit() and len(digits) <= _MOST_DIGITS else None


def _capabilities(line: bytes) -> tuple[int, int]:
    """Return where the capabilities in a line begin and end; ``(0, 0)`` if it has none."""
    upper = line.upper()
    if upper.startswith(_UNTAGGED):
        return 0, len(text(line))
    start = upper.find(_CODE)
    stop = line.find(b"]", start)
    # A response code is the first thing after the status: "tag OK [" or "* OK [".
    if start < 0 or stop < 0 or len(line[:start].split()) != _WORDS_BEFORE_A_CODE:
        return 0, 0
    return start, stop


def _is_offer(word: bytes) -> bool:
    return word.upper() in _ONLY_BEFORE_TLS


_WORDS_BEFORE_A_CODE = 2
_MOST_DIGITS = 18


DIALECT = Dialect(
    name="imap",
    server=ImapServer,
    client=ImapClient,
    source="RFC 9051",
    protocol_filter=ImapFilter,
    idle_timeout=1800.0,  # RFC 9051, section 5.4; clients renew IDLE every 29 minutes (RFC 2177)
)
