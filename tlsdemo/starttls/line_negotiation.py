"""What protocols of lines have in common: lines, commands, and replies that begin with a code.

A line ends in LF; a CR before it is removed.  The RFCs require CRLF, but most servers tolerate a
bare LF, which is harmless where no message text follows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from tlsdemo.starttls.negotiation import OTHER, TOO_LONG, Command, Message, Negotiation


class LineNegotiation(Negotiation, ABC):
    """One side of a protocol of lines; subclasses classify a line as a message."""

    def _next_message(self) -> Message | None:
        end = self._input.find(b"\n", 0, self._max_line)
        if end < 0:
            return Message(TOO_LONG) if len(self._input) >= self._max_line else None
        line = bytes(self._input[:end]).removesuffix(b"\r")
        del self._input[: end + 1]
        return self._parse(line)

    @abstractmethod
    def _parse(self, line: bytes) -> Message:
        """Return the message that a line is."""

    def _handle(self, message: Message) -> list[Command]:
        if message.name == TOO_LONG:
            return [self._too_much(f"a line of more than {self._max_line} bytes")]
        return super()._handle(message)


class CommandNegotiation(LineNegotiation):
    """A server of commands: a case-insensitive verb, optionally with parameters.

    A command is the first of these messages that the table has a rule for: ``"AUTH TLS"``, the
    whole command; ``"AUTH …"``, the verb with any parameters; ``"AUTH"``, the verb.
    """

    def _parse(self, line: bytes) -> Message:
        return self._command(line, {})

    def _command(self, line: bytes, fields: Mapping[bytes, bytes]) -> Message:
        whole = line.upper().rstrip(b" ").decode("ascii", "replace")
        verb, space, _ = whole.partition(" ")
        for name in (whole, f"{verb} …" if space else verb):
            if (self.state, name) in self.table:
                return Message(name, fields)
        return Message(verb, fields)


def reply_code(line: bytes) -> str:
    """Return the code of a reply (RFC 5321, RFC 959): ``"220"``, or ``"220-"`` if more follows.

    Returns ``OTHER`` if the line is not a reply.
    """
    code, separator = line[:3], line[3:4]
    if not code.isdigit() or len(code) < 3 or separator not in (b"", b" ", b"-"):
        return OTHER
    return (code + separator.strip()).decode("ascii")


def ends_in_literal(line: bytes) -> bool:
    """Whether a line announces a literal, ``{5}`` or ``{5+}`` (RFC 9051, section 4.3)."""
    _, brace, size = line.rpartition(b"{")
    return bool(brace) and size[-1:] == b"}" and size[:-1].removesuffix(b"+").isdigit()
