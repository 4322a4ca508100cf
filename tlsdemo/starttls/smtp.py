"""Dialects ``smtp`` and ``lmtp``: STARTTLS (RFC 3207, with the commands of RFC 5321, RFC 2033)."""

from __future__ import annotations

import enum
import re

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import FilterFailed, LineFilter, Piece, may_be_command, text
from tlsdemo.starttls.line_negotiation import CommandNegotiation, LineNegotiation, reply_code
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Rule, State, Table
from tlsdemo.starttls.xclient import LmtpXclient, SmtpXclient

_OFFER = b"250-{own}\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n"
_FIRST = b"530 5.7.0 Must issue a STARTTLS command first\r\n"


def _server_table(protocol: bytes, hello: str, not_hello: tuple[str, ...]) -> Table:
    """Return a server's table; ``not_hello`` are the greetings of the other protocol's clients.

    Every command that is not served before TLS is answered with 530 (RFC 3207, section 4).
    """
    name = hello.encode("ascii")
    table = {(State.START, CONNECTED): Rule(State.GREETED, b"220 {own} " + protocol + b"\r\n")}
    for state in (State.GREETED, State.HELLO):
        table |= {
            (state, f"{hello} …"): Rule(State.HELLO, _OFFER),
            (state, hello): Rule(state, b"501 5.5.4 " + name + b" needs your name\r\n"),
            (state, "NOOP"): Rule(state, b"250 2.0.0 OK\r\n"),
            (state, "QUIT"): Rule(
                State.REFUSED, b"221 2.0.0 Bye\r\n", Cause.PROBE, "the client sent QUIT"
            ),
            (state, "STARTTLS …"): Rule(state, b"501 5.5.4 STARTTLS has no parameters\r\n"),
            (state, OTHER): Rule(state, _FIRST),
        }
        for other in not_hello:
            text = b"500 5.5.1 This is " + protocol + b": say " + name + b"\r\n"
            table[state, other] = Rule(state, text)
    table[State.GREETED, "STARTTLS"] = Rule(State.GREETED, b"503 5.5.1 Say " + name + b" first\r\n")
    table[State.HELLO, "STARTTLS"] = Rule(State.SWITCHED, b"220 2.0.0 Ready to start TLS\r\n")
    return table


class SmtpServer(CommandNegotiation):
    """The SMTP server: serves nothing but a greeting and STARTTLS in plaintext.

    STARTTLS is out of sequence before EHLO, which offers it; HELO offers nothing.
    """

    table = _server_table(b"ESMTP", "EHLO", ("LHLO",))
    refusal = b"421 4.7.0 {own} closes: plain bytes where TLS was to start\r\n"
    unavailable = b"421 4.3.2 {own} Service not available, try again later\r\n"


class LmtpServer(SmtpServer):
    """The LMTP server: LHLO replaces EHLO (RFC 2033, section 4.1)."""

    table = _server_table(b"LMTP", "LHLO", ("EHLO", "HELO"))


def _client_table(hello: bytes) -> Table:
    def refused(detail: str, cause: Cause = Cause.UPGRADE_REFUSED) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", cause, detail)

    starttls = Rule(State.REQUESTED, b"STARTTLS\r\n")
    answer = "the server answered the hello with {reply}"
    return {
        (State.START, "220-"): Rule(State.START),
        (State.START, "220"): Rule(State.GREETED, hello + b" {own}\r\n"),
        (State.START, OTHER): refused("the server's greeting is {reply}"),
        (State.GREETED, "250-"): Rule(State.GREETED),
        (State.GREETED, "250-STARTTLS"): Rule(State.OFFERED),
        (State.GREETED, "250 STARTTLS"): starttls,
        (State.GREETED, "250"): refused("the server does not offer STARTTLS", Cause.NO_STARTTLS),
        (State.GREETED, "500"): refused(answer, Cause.NO_STARTTLS),
        (State.GREETED, "502"): refused(answer, Cause.NO_STARTTLS),
        (State.GREETED, OTHER): refused(answer),
        (State.OFFERED, "250-"): Rule(State.OFFERED),
        (State.OFFERED, "250-STARTTLS"): Rule(State.OFFERED),
        (State.OFFERED, "250 STARTTLS"): starttls,
        (State.OFFERED, "250"): starttls,
        (State.OFFERED, OTHER): refused(answer),
        (State.REQUESTED, "220-"): Rule(State.REQUESTED),
        (State.REQUESTED, "220"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): refused("the server answered STARTTLS with {reply}"),
    }


class SmtpClient(LineNegotiation):
    """The SMTP client: continues only if the server offers STARTTLS and grants it."""

    table = _client_table(b"EHLO")
    is_client = True
    refusal = b"QUIT\r\n"

    def _parse(self, line: bytes) -> Message:
        name = reply_code(line)
        if name in ("250", "250-") and line[4:].strip(b" ").upper() == b"STARTTLS":
            name = f"{name:4}STARTTLS"
        return Message(name, {b"reply": line})


class LmtpClient(SmtpClient):
    """The LMTP client: LHLO replaces EHLO (RFC 2033, section 4.1)."""

    table = _client_table(b"LHLO")


class _Expected(enum.Enum):
    """What the client's next line is."""

    COMMAND = "a command"
    CONTENT = "a line of the message"
    ANSWER = "an answer to a challenge"


class SmtpFilter(LineFilter):
    """Removes the greeting and the offer of STARTTLS; rejects a second STARTTLS.

    XCLIENT and XFORWARD are treated like STARTTLS: with them, a proxy says whom a backend that
    trusts it shall take it for.  A client of the proxy must not, so no line of it passes unchanged
    that the backend may take for such a command.  If a client sends mail data before it is asked
    to, it is uncertain from then on what the backend takes for a command, and lines of a mail are
    treated like commands.

    The backend's replies show which of the client's lines are commands: only 354 asks for mail data
    and only 334 for an answer to a challenge, and no client may send either before that.

    BDAT (RFC 3030) states the length of a chunk that passes unchanged.  What follows it is a chunk
    only if the backend takes it for one: it has offered CHUNKING in reply to the latest hello, it
    cannot take the command for mail data or an answer, and the command is one that no server
    rejects for its syntax.  Otherwise BDAT is passed on under a name that the backend rejects.
    To know which command a reply answers, replies are counted.  354 answers the latest command, so
    the count begins anew there.

    A SASL security layer ends the connection: it would let commands and mail pass that only the
    backend can read, and only the backend knows whether there is such a layer at all.

    Mail data ends in CRLF, a dot, CRLF, and nothing else ends it (RFC 5321, section 4.1.1.4).
    Servers differ about a bare LF or CR there.  Whoever can hide the end of a mail from one server
    but not from the next can smuggle a second mail.  So the backend receives nothing ambiguous:
    every line ends in CRLF, a CR inside a line becomes a space, and a dot on a line that does not
    begin after and end in CRLF is doubled, which makes it part of the mail.  Postfix does the same
    (``smtpd_forbid_bare_newline = normalize``, ``cleanup_replace_stray_cr_lf``).
    """

    welcomes = (b"220",)
    rejections = (b"4", b"5")

    def __init__(self, greeted: bool = True) -> None:
        super().__init__(greeted)
        self._expected = _Expected.COMMAND
        self._held = b""
        self._after_crlf = True
        self._long_verb = b""
        self._unanswered = 0
        # Replies to come, up to that to the latest hello, and to the latest DATA or AUTH.
        self._until_hello = 0
        self._until_input = 0
        self._chunking = False
        # Whether lines came while such a reply was due, and whether one of these was 354.
        self._premature = False
        self._uncertain = False

    def rest_of_backend(self) -> bytes:
        """Return what was held back for the client, including a line of an unfinished reply."""
        held, self._held = self._held, b""
        return held + super().rest_of_backend()

    def _ends_greeting(self, line: bytes) -> bool:
        return line[3:4] != b"-"

    def _reply(self, line: bytes, piece: Piece) -> bytes:
        code, separator = line[:3], line[3:4]
        held, self._held = self._held, b""
        if piece is not Piece.LINE:
            return held + line
        if code == b"354":
            self._uncertain = self._uncertain or self._premature
            self._expected = _Expected.COMMAND if self._uncertain else _Expected.CONTENT
            self._unanswered = self._until_hello = self._until_input = 0
        elif code == b"334":
            self._expected = _Expected.ANSWER
        self._note_reply(code, separator, text(line[4:]).strip().upper())
        if code == b"250" and _is_reserved_offer(text(line[4:]).upper().split()):
            if separator == b"-":
                self._held = held
                return b""
            # The last line of the reply is removed, so the one before it becomes the last.
            return held[:3] + b" " + held[4:] if held else b"250 OK\r\n"
        if code == b"250" and separator == b"-":
            self._held = line
            return held
        return held + line

    def _command_is_next(self) -> bool:
        return self._expected is _Expected.COMMAND

    def _begin_layer(self) -> None:
        raise FilterFailed(
            "the client sent binary data instead of a command; a security layer of SASL cannot "
            "be used through this proxy, and TLS already protects the connection",
            Cause.PROTOCOL_ERROR,
        )

    def _note_reply(self, code: bytes, separator: bytes, keyword: bytes) -> None:
        if self._until_hello == 1 and code == b"250" and keyword == b"CHUNKING":
            self._chunking = True
        if separator != b"-":
            self._unanswered = max(0, self._unanswered - 1)
            self._until_hello = max(0, self._until_hello - 1)
            self._until_input = max(0, self._until_input - 1)
            self._premature = self._premature and self._until_input > 0

    def _replies_to_mail(self) -> int:
        """The number of replies to the end of a mail."""
        return 1

    def _note_command(self, verb: bytes) -> None:
        self._unanswered += 1
        if verb in _HELLOS:
            self._chunking = False
            self._until_hello = self._unanswered
        elif verb in _ASKING_FOR_INPUT:
            self._until_input = self._unanswered

    def _command(self, line: bytes, piece: Piece) -> bytes:
        if self._until_input and self._expected is _Expected.COMMAND:
            self._premature = True
        if piece is Piece.PART:
            return self._part(line.replace(b"\r", b" "))
        after_crlf, self._after_crlf = self._after_crlf, line.endswith(b"\r\n")
        body = text(line).replace(b"\r", b" ")
        if piece is Piece.LINE and body == b".":
            return self._dot(after_crlf and self._after_crlf)
        if piece is Piece.END:
            body = self._part(body)
        verb, self._long_verb = self._long_verb or _verb(body), b""
        return self._whole(body, piece, verb) + b"\r\n"

    def _part(self, body: bytes) -> bytes:
        """Return what is to be sent to the backend for a part of a long line."""
        if self._expected is _Expected.CONTENT or self._long_verb:
            return body
        self._long_verb = _verb(body)
        if not may_be_command(body, (*_RESERVED, b"BDAT")):
            return body
        self._long_verb = b"X" + self._long_verb
        return b"X" + body

    def _dot(self, is_end: bool) -> bytes:
        if not is_end:
            return b"..\r\n"
        self._unanswered += self._replies_to_mail()
        self._expected = _Expected.COMMAND
        return b".\r\n"

    def _whole(self, body: bytes, piece: Piece, verb: bytes) -> bytes:
        if self._expected is _Expected.CONTENT:
            return body
        if self._expected is _Expected.ANSWER:
            self._expected = _Expected.COMMAND
            self._note_command(b"AUTH")
            # An answer is one word; with more, the backend may take it for a command.
            is_command = piece is Piece.LINE and verb in _RESERVED and len(body.split()) > 1
            return b"X" + body if is_command else body
        self._note_command(verb)
        if piece is Piece.END:
            return body
        if verb in _RESERVED:
            return b"X" + body
        if verb == b"BDAT":
            chunk = _CHUNK.fullmatch(body)
            if chunk is None or not self._chunking or self._until_input or self._uncertain:
                return b"X" + body
            self._commands.pass_next(int(chunk[1]))
            self._after_crlf = True
            if chunk[2]:
                self._unanswered += self._replies_to_mail() - 1
        return body


class LmtpFilter(SmtpFilter):
    """The same for LMTP, which has a reply to a mail for each recipient (RFC 2033, section 4.2).

    A recipient that was rejected is counted as well.  So the count may be too high, which makes
    BDAT fail where it need not, until 354; never too low.
    """

    def __init__(self, greeted: bool = True) -> None:
        super().__init__(greeted)
        self._recipients = 0

    def _replies_to_mail(self) -> int:
        return max(1, self._recipients)

    def _note_command(self, verb: bytes) -> None:
        super()._note_command(verb)
        if verb == b"RCPT":
            self._recipients += 1
        elif verb == b"MAIL":
            self._recipients = 0


def _verb(line: bytes) -> bytes:
    """Return the first word of a command, or of a first part of it."""
    return b"".join(line.upper().split(None, 1)[:1])


def _is_reserved_offer(words: list[bytes]) -> bool:
    """Whether the words of a line of a reply to a hello offer what no client of the proxy gets."""
    return words == [b"STARTTLS"] or words[:1] in ([b"XCLIENT"], [b"XFORWARD"])


_HELLOS = (b"EHLO", b"LHLO", b"HELO")
_RESERVED = (b"STARTTLS", b"XCLIENT", b"XFORWARD")
"""Commands that only the proxy may give to its backend."""

_ASKING_FOR_INPUT = (b"DATA", b"AUTH")
"""Commands after which the backend may read the next line as something else than a command."""

_CHUNK = re.compile(rb"BDAT ([0-9]{1,18})( LAST)? *", re.IGNORECASE)


DIALECT = Dialect(
    name="smtp",
    server=SmtpServer,
    client=SmtpClient,
    source="RFC 3207",
    protocol_filter=SmtpFilter,
    xclient=SmtpXclient,
)
LMTP = Dialect(
    name="lmtp",
    server=LmtpServer,
    client=LmtpClient,
    source="RFC 3207 and RFC 2033",
    protocol_filter=LmtpFilter,
    xclient=LmtpXclient,
)
