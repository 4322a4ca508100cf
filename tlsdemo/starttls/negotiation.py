"""What every dialect is made of: bytes in, commands out, and a table that says which.

Theory of operation.  A dialogue is one side of the plain words before TLS.  It is handed the bytes
that arrive, cut as they may be, and answers with commands: ``Say`` these bytes; ``Switch`` to TLS,
with what of the input belongs to TLS already; or ``Refuse``, for a named cause.  After ``Switch``
or ``Refuse`` it is never fed again.  It does no I/O and knows no time.

What happens is data: a table from a state and an event to a rule.  A dialect only has to cut its
input into events.  The diagrams in the documentation are drawn from the same tables.

The guard.  Whatever arrives in plain after the words that ask for TLS must never be taken for
something that came through TLS (CVE-2011-0411, CVE-2021-23214).  So the rest of the input has one
way only: on the server's side, into TLS if it looks like a TLS record, and otherwise nowhere: the
connection is refused.  A client is owed nothing before its own ClientHello, so any rest refuses;
and so does an answer to what the client was only about to say.

The bounds.  What lies beyond the first ``max_plain`` bytes is never looked at, so that the same
bytes come to the same end however they were cut.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from tlsdemo.close_reasons import Cause

MAX_LINE = 2048
"""Bytes of a line, its end included, after which a peer is refused."""

MAX_PLAIN = 1 << 16
"""Bytes before TLS, all together, after which a peer is refused."""

MAX_EVENTS = 1000
"""Things said before TLS, all together, after which a peer is refused: each may cost an answer."""

_MOST_QUOTED = 80
"""Characters of what a peer said that are quoted in a detail."""

HANDSHAKE = b"\x16"
"""The first byte of a TLS record that carries a handshake (RFC 8446, section 5.1)."""


class State(enum.Enum):
    """Where a dialogue is; every dialect uses those that it needs."""

    START = "start"
    GREETING = "being greeted"
    GREETED = "greeted"
    HELLO = "hello said"
    LISTING = "hearing what is offered"
    OFFERED = "TLS is offered"
    ASKED = "asked for TLS"
    ANSWERED = "being answered"
    SWITCHED = "switched to TLS"
    REFUSED = "refused"

    @property
    def final(self) -> bool:
        """Whether the dialogue is over."""
        return self in (State.SWITCHED, State.REFUSED)


@dataclass(frozen=True)
class Say:
    """Send ``data``, in plain."""

    data: bytes


@dataclass(frozen=True)
class Switch:
    """Start TLS now; ``leftover`` came in plain and is the beginning of the peer's TLS.

    ``injected`` is what the guard would have refused, if it has been turned off.  ``alpn`` names
    the protocol without whose agreement (RFC 7301) the connection must not be used: in place of
    words, where there were none.
    """

    leftover: bytes = b""
    injected: bytes = b""
    alpn: bytes = b""


@dataclass(frozen=True)
class Refuse:
    """Send ``data``, in plain, and close; the upgrade has failed for ``cause``."""

    cause: Cause
    detail: str
    data: bytes = b""


Command = Say | Switch | Refuse


@dataclass(frozen=True)
class Rule:
    """What follows an event: the next state, what to say, and why to refuse.

    ``say`` and ``detail`` may hold ``{tag}`` and the like, which the event's words fill in.
    ``alpn`` is passed on to the ``Switch``.
    """

    next: State
    say: bytes = b""
    cause: Cause = Cause.PROTOCOL_ERROR
    detail: str = ""
    alpn: bytes = b""


Table = Mapping[tuple[State, str], Rule]

BEGIN = "begin"
"""The event of the connection having been made."""

OTHER = "anything else"
"""The event that stands for all that have no rule of their own."""

TOO_LONG = "too long"
"""The event of something that has not ended where it must have; for dialects that know it."""


@dataclass(frozen=True)
class Event:
    """Something the peer said, as the table knows it.

    ``words`` fill in what a rule says and why it refuses: ``{b"tag": …}`` for ``{tag}``.
    """

    name: str
    words: Mapping[bytes, bytes] = field(default_factory=dict)


class Negotiation:
    """One side of a dialect; subclasses have a table and cut the input into events.

    ``guard`` off lets injected bytes pass, as ``Switch.injected``: for demonstrations only.
    """

    table: ClassVar[Table] = {}
    is_client: ClassVar[bool] = False
    refusal: ClassVar[bytes] = b""
    """What is said to a peer that injects, or goes beyond a bound, before it is let go."""

    awaits_first_byte: bool = False
    """Whether ``nothing_came`` is to be called if the peer stays silent for a moment at first."""

    def __init__(
        self, guard: bool = True, max_line: int = MAX_LINE, max_plain: int = MAX_PLAIN
    ) -> None:
        self.state = State.START
        self._guard = guard
        self._max_line = max_line
        self._max_plain = max_plain
        self._received = 0
        self._events = 0
        self._input = bytearray()
        self._beyond = b""

    def start(self) -> list[Command]:
        """Return what to do when the connection has been made."""
        return self._follow(Event(BEGIN)) if (State.START, BEGIN) in self.table else []

    def receive(self, data: bytes) -> list[Command]:
        """Return what to do about ``data``; raises RuntimeError once the dialogue is over."""
        if self.state.final:
            raise RuntimeError(f"a dialogue that is over ({self.state.value}) is fed again")
        room = self._max_plain - self._received
        self._received += len(data)
        self._input += data[:room]
        self._beyond = data[room:]
        commands: list[Command] = []
        while not self.state.final:
            event = self._next_event()
            if event is None:
                break
            self._events += 1
            if self._events > MAX_EVENTS:
                commands.append(self._too_much(f"more than {MAX_EVENTS} things said before TLS"))
                break
            commands += self._follow(event)
            if self._out_of_turn(commands):
                refuse = self._injected("before the client had spoken", self.refusal)
                commands.append(refuse)
        if not self.state.final and self._beyond:
            commands.append(self._too_much(f"more than {self._max_plain} bytes came before TLS"))
        return commands

    def nothing_came(self) -> list[Command]:
        """Return what to do when the peer has said nothing for a moment, and is waited for."""
        return []

    def _next_event(self) -> Event | None:
        """Take the next event off the input; ``None`` if it is not complete, or never will be."""
        return None

    def _out_of_turn(self, commands: list[Command]) -> bool:
        """Whether a server has answered what its client was only about to say."""
        has_spoken = bool(commands) and isinstance(commands[-1], Say)
        return self.is_client and self._guard and has_spoken and bool(self._input or self._beyond)

    def _injected(self, where: str, said: bytes) -> Refuse:
        self.state = State.REFUSED
        detail = f"{len(self._input) + len(self._beyond)} bytes came in plain {where}"
        return Refuse(Cause.INJECTED_PLAINTEXT, detail, said)

    def _too_much(self, detail: str) -> Refuse:
        self.state = State.REFUSED
        return Refuse(Cause.TOO_MUCH_PLAINTEXT, detail, self.refusal)

    def _follow(self, event: Event) -> list[Command]:
        rule = self.table.get((self.state, event.name)) or self.table[self.state, OTHER]
        said, detail = self._fill(rule.say, event.words), rule.detail
        for name, word in event.words.items():
            detail = detail.replace(f"{{{name.decode()}}}", ascii(word)[1:][:_MOST_QUOTED])
        if rule.next is State.SWITCHED:
            return self._switch(said, rule.alpn)
        self.state = rule.next
        if rule.next is State.REFUSED:
            return [Refuse(rule.cause, detail, said)]
        return [Say(said)] if said else []

    def _fill(self, said: bytes, words: Mapping[bytes, bytes]) -> bytes:
        """Put an event's words into what a rule says."""
        for name, word in words.items():
            said = said.replace(b"{" + name + b"}", word)
        return said

    def _switch(self, said: bytes, alpn: bytes) -> list[Command]:
        rest = bytes(self._input) + self._beyond
        belongs_to_tls = not self.is_client and rest[:1] == HANDSHAKE
        if rest and not belongs_to_tls and self._guard:
            # A server that has given the go-ahead takes whatever comes for TLS: no more words.
            last = b"" if self.is_client else self.refusal
            return [self._injected("behind the words that start TLS", last)]
        self.state = State.SWITCHED
        self._input.clear()
        leftover, injected = (rest, b"") if belongs_to_tls else (b"", rest)
        switch = Switch(leftover, injected, alpn)
        return [Say(said), switch] if said else [switch]
