"""The negotiation machine that every dialect runs on: bytes in, commands out, rules in a table.

Theory of operation.  A negotiation is one side of the plaintext exchange before TLS.  It is fed
the bytes that arrive, in pieces of any size, and returns commands: ``Say`` these bytes, ``Switch``
to TLS, or ``Refuse`` to go on.  After ``Switch`` or ``Refuse`` it must not be fed again.  It does
no I/O and has no clock.

A dialect splits its input into messages and provides a table that maps a state and a message to a
rule.  The diagrams in docs/dialects.md are drawn from the same tables.

The guard.  Plaintext that follows the request for TLS must never be mistaken for data that was
received through TLS (CVE-2011-0411, CVE-2021-23214).

- A server that switches passes the rest of its input on to TLS if it looks like a TLS record, and
  refuses the connection otherwise.
- A client that switches refuses any rest: a server sends nothing before the ClientHello.
- A client refuses a message that arrived before the command it would answer was sent.  The only
  exception is a message whose rule changes neither the state nor sends anything, such as a notice
  that a server may send at any time: whoever injects it gains nothing.

The bounds.  Nothing beyond the first ``max_plain`` bytes is looked at, so the outcome does not
depend on how the input was split into pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.names import DEFAULT_NAMES, Names
from tlsdemo.state_machine import Symbol

MAX_LINE = 2048
"""Default limit of a line, in bytes, including its end."""

MAX_PLAIN = 1 << 16
"""Default limit of everything that a peer sends before TLS, in bytes."""

MAX_MESSAGES = 1000
"""Limit of the messages that a peer sends before TLS, because each may cost an answer."""

_MOST_QUOTED = 80
"""Characters of a peer's message that are quoted in a detail."""

HANDSHAKE = b"\x16"
"""The first byte of a TLS record that carries a handshake (RFC 8446, section 5.1)."""


class State(Symbol):
    """The states of a negotiation; each dialect uses those that it needs."""

    START = "start"
    GREETING = "receiving the greeting"
    GREETED = "greeted"
    HELLO = "hello sent"
    LISTING = "receiving capabilities"
    OFFERED = "TLS offered"
    REQUESTED = "TLS requested"
    ANSWERED = "receiving the answer"
    SWITCHED = "switched to TLS"
    REFUSED = "refused"

    @property
    def final(self) -> bool:
        """Whether the negotiation is over."""
        return self in (State.SWITCHED, State.REFUSED)


@dataclass(frozen=True)
class Say:
    """Send ``data`` in plaintext."""

    data: bytes


@dataclass(frozen=True)
class Switch:
    """Start TLS now; ``leftover`` arrived in plaintext and is the beginning of the peer's TLS.

    ``injected``: what the guard would have refused, if it is turned off.  ``alpn``: the protocol
    that must be negotiated by ALPN (RFC 7301), or the connection must not be used; empty for any.
    """

    leftover: bytes = b""
    injected: bytes = b""
    alpn: bytes = b""


@dataclass(frozen=True)
class Refuse:
    """Send ``data`` in plaintext and close; ``cause`` and ``detail`` say why the upgrade failed."""

    cause: Cause
    detail: str
    data: bytes = b""


Command = Say | Switch | Refuse


@dataclass(frozen=True)
class Rule:
    """What a message leads to: the next state, what is sent, and why the upgrade is refused.

    ``say`` and ``detail`` may contain placeholders such as ``{tag}``, which are replaced by the
    message's fields.  ``alpn`` is passed on to the ``Switch``.
    """

    next: State
    say: bytes = b""
    cause: Cause = Cause.PROTOCOL_ERROR
    detail: str = ""
    alpn: bytes = b""


Table = Mapping[tuple[State, str], Rule]

CONNECTED = "connected"
"""Not a message of the peer: the connection has been made."""

CLIENT_HELLO = "ClientHello"
"""A first byte that begins a TLS handshake.  It stays in the input, for TLS."""

OTHER = "anything else"
"""Every message that has no rule of its own in a state."""

TOO_LONG = "too long"
"""A message that exceeds its limit without having ended; for dialects that limit it."""


@dataclass(frozen=True)
class Message:
    """A message of the peer, by the name that the table has for it.

    ``fields`` replace placeholders in the rule: ``{b"tag": b"a1"}`` replaces ``{tag}``.
    """

    name: str
    fields: Mapping[bytes, bytes] = field(default_factory=dict)


class Negotiation:
    """One side of a dialect; subclasses define a table and split the input into messages.

    ``guard``: off lets injected bytes pass, as ``Switch.injected``; for demonstrations only.
    ``max_line`` (``None`` for the dialect's own) and ``max_plain``: limits in bytes.
    ``names``: what both sides are called.  What a rule sends, and ``refusal``, may contain
    ``{own}``, the name of this side.
    """

    table: ClassVar[Table] = {}
    is_client: ClassVar[bool] = False
    longest_line: ClassVar[int] = MAX_LINE
    """The default of ``max_line``, for a dialect whose lines may be longer than most."""

    refusal: ClassVar[bytes] = b""
    """Sent to a peer that injects plaintext or exceeds a limit, before the connection is closed."""

    unavailable: ClassVar[bytes] = b""
    """Sent to a client that cannot be served at present, instead of a greeting or an answer.

    It is in the protocol's own words, and in plaintext or through TLS.
    """

    awaits_first_byte: bool = False
    """Whether ``nothing_came`` must be called if the peer sends nothing at first."""

    def __init__(
        self,
        guard: bool = True,
        max_line: int | None = None,
        max_plain: int = MAX_PLAIN,
        names: Names = DEFAULT_NAMES,
    ) -> None:
        self.state = State.START
        self._names = names
        self._guard = guard
        self._max_line = self.longest_line if max_line is None else max_line
        self._max_plain = max_plain
        self._received = 0
        self._messages = 0
        self._input = bytearray()
        self._beyond = b""
        self._premature = 0

    def start(self) -> list[Command]:
        """Return the commands to execute when the connection has been made."""
        is_known = (State.START, CONNECTED) in self.table
        return self._handle(Message(CONNECTED)) if is_known else []

    def receive(self, data: bytes) -> list[Command]:
        """Return the commands that ``data`` leads to.

        Raises RuntimeError if the negotiation is over.
        """
        if self.state.final:
            raise RuntimeError(f"a negotiation that is over ({self.state.value}) is fed again")
        room = self._max_plain - self._received
        self._received += len(data)
        self._input += data[:room]
        self._beyond = data[room:]
        commands: list[Command] = []
        while not self.state.final:
            before = len(self._input)
            message = self._next_message()
            if message is None:
                break
            self._messages += 1
            if self._messages > MAX_MESSAGES:
                commands.append(self._too_much(f"more than {MAX_MESSAGES} messages before TLS"))
            elif self._premature and not self._is_inert(message):
                commands.append(self._injected(self._premature, _BEFORE_COMMAND))
            else:
                self._premature = max(0, self._premature - (before - len(self._input)))
                said = self._handle(message)
                commands += said
                if said and not self.state.final:
                    self._note_premature()
        if not self.state.final and self._beyond:
            commands.append(self._too_much(f"more than {self._max_plain} bytes before TLS"))
        return commands

    def nothing_came(self) -> list[Command]:
        """Return the commands to execute when the peer has sent nothing for a moment at first."""
        return []

    def _next_message(self) -> Message | None:
        """Remove the next message from the input; ``None`` if none is complete."""
        return None

    def _note_premature(self) -> None:
        """Note how much of the input a client received before it sent its last command."""
        if self.is_client and self._guard:
            rest = bytes(self._input) + self._beyond
            self._premature = len(rest) if self._may_begin_message(rest) else 0

    def _may_begin_message(self, rest: bytes) -> bool:
        """Whether ``rest`` may be part of a message, rather than of the space between messages."""
        return True

    def _is_inert(self, message: Message) -> bool:
        """Whether a message neither changes the state nor has anything sent."""
        rule = self._rule(message)
        return rule.next is self.state and not rule.say

    def _rule(self, message: Message) -> Rule:
        return self.table.get((self.state, message.name)) or self.table[self.state, OTHER]

    def _injected(self, count: int, where: str) -> Refuse:
        self.state = State.REFUSED
        detail = f"{count} bytes arrived {where}"
        return Refuse(Cause.INJECTED_PLAINTEXT, detail, self._named(self.refusal))

    def _too_much(self, detail: str) -> Refuse:
        self.state = State.REFUSED
        return Refuse(Cause.TOO_MUCH_PLAINTEXT, detail, self._named(self.refusal))

    def _named(self, say: bytes) -> bytes:
        return say.replace(b"{own}", self._names.own.encode("ascii"))

    def _handle(self, message: Message) -> list[Command]:
        rule = self._rule(message)
        say, detail = self._fill(self._named(rule.say), message.fields), rule.detail
        for name, value in message.fields.items():
            detail = detail.replace(f"{{{name.decode()}}}", ascii(value)[1:][:_MOST_QUOTED])
        if rule.next is State.SWITCHED:
            return self._switch(say, rule.alpn)
        self.state = rule.next
        if rule.next is State.REFUSED:
            return [Refuse(rule.cause, detail, say)]
        return [Say(say)] if say else []

    def _fill(self, say: bytes, fields: Mapping[bytes, bytes]) -> bytes:
        """Replace the placeholders in what a rule sends."""
        for name, value in fields.items():
            say = say.replace(b"{" + name + b"}", value)
        return say

    def _switch(self, say: bytes, alpn: bytes) -> list[Command]:
        rest = bytes(self._input) + self._beyond
        belongs_to_tls = not self.is_client and rest[:1] == HANDSHAKE
        if rest and not belongs_to_tls and self._guard:
            refuse = self._injected(len(rest), _AFTER_LAST_MESSAGE)
            # A server that has sent its go-ahead takes everything for TLS: send it no more text.
            return [replace(refuse, data=b"")] if self.is_client else [refuse]
        self.state = State.SWITCHED
        self._input.clear()
        leftover, injected = (rest, b"") if belongs_to_tls else (b"", rest)
        switch = Switch(leftover, injected, alpn)
        return [Say(say), switch] if say else [switch]


_BEFORE_COMMAND = "before the command that they answer"
_AFTER_LAST_MESSAGE = "after the last message before TLS"
