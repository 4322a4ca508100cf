"""What the dialects of lines have in common: lines, commands, and replies that begin with a code.

A line ends in LF, and a CR before it does not count.  The RFCs demand CRLF; like most servers, this
is lenient with a bare LF, which can do no harm where no message's text follows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from tlsdemo.starttls.negotiation import OTHER, TOO_LONG, Command, Event, Negotiation


class LineNegotiation(Negotiation, ABC):
    """One side of a dialect of lines; subclasses say what event a line is."""

    def _next_event(self) -> Event | None:
        end = self._input.find(b"\n", 0, self._max_line)
        if end < 0:
            return Event(TOO_LONG) if len(self._input) >= self._max_line else None
        line = bytes(self._input[:end]).removesuffix(b"\r")
        del self._input[: end + 1]
        return self._read(line)

    @abstractmethod
    def _read(self, line: bytes) -> Event:
        """Say what event a line is."""

    def _follow(self, event: Event) -> list[Command]:
        if event.name == TOO_LONG:
            return [self._too_much(f"a line of more than {self._max_line} bytes")]
        return super()._follow(event)


class CommandNegotiation(LineNegotiation):
    """A server of commands: a verb, which has no case, and perhaps parameters.

    A command is the first of these events that the table knows: ``"AUTH TLS"``, all of it;
    ``"AUTH …"``, the verb with any parameter; ``"AUTH"``, the verb.
    """

    def _read(self, line: bytes) -> Event:
        return self._command(line, {})

    def _command(self, line: bytes, words: Mapping[bytes, bytes]) -> Event:
        whole = line.upper().rstrip(b" ").decode("ascii", "replace")
        verb, space, _ = whole.partition(" ")
        for name in (whole, f"{verb} …" if space else verb):
            if (self.state, name) in self.table:
                return Event(name, words)
        return Event(verb, words)


def reply_code(line: bytes) -> str:
    """Return the code of a reply of RFC 5321 or RFC 959: ``"220"``, or ``"220-"`` if more comes.

    What is no reply is ``OTHER``.
    """
    code, follows = line[:3], line[3:4]
    if not code.isdigit() or len(code) < 3 or follows not in (b"", b" ", b"-"):
        return OTHER
    return (code + follows.strip()).decode("ascii")


def ends_in_literal(line: bytes) -> bool:
    """Whether a line announces bytes that are no line: ``{5}``, ``{5+}``, as of RFC 9051, 4.3."""
    _, brace, size = line.rpartition(b"{")
    return bool(brace) and size[-1:] == b"}" and size[:-1].removesuffix(b"+").isdigit()
