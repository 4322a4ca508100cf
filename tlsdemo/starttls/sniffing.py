"""Dialect ``auto``, for servers: TLS from the first byte, or another dialect.

A ClientHello begins with the byte 0x16, and no dialect's client begins with that.  So the first
byte tells.  Where the client speaks first, that costs nothing.  Where the server greets, both would
wait for each other; so the server waits for a moment, and greets when nothing has come.  How long
a moment is, is for the session to say, which has the clock: longer than a round trip, or else a
ClientHello crosses the greeting and that connection fails; but every other client has to wait so
long.  A client that speaks before it is greeted is greeted at once, and then answered.
"""

from __future__ import annotations

from tlsdemo.starttls.negotiation import (
    BEGIN,
    HANDSHAKE,
    MAX_LINE,
    MAX_PLAIN,
    Command,
    Event,
    Negotiation,
    Rule,
    State,
    Table,
)

CLIENT_HELLO = "ClientHello"
"""The event of a first byte that begins a TLS record."""

_TABLE: Table = {(State.START, CLIENT_HELLO): Rule(State.SWITCHED)}


class AutoServer(Negotiation):
    """A server that takes a ClientHello at once, and leaves all else to ``dialect``.

    Raises ValueError for a dialect that starts TLS without a word, from which it cannot be told.
    """

    table = _TABLE

    def __init__(
        self,
        dialect: type[Negotiation],
        guard: bool = True,
        max_line: int = MAX_LINE,
        max_plain: int = MAX_PLAIN,
    ) -> None:
        super().__init__(guard, max_line, max_plain)
        begin = dialect.table.get((State.START, BEGIN))
        if begin is not None and begin.next.final:
            raise ValueError(f"{dialect.__name__} has no words that could be told from TLS")
        self.awaits_first_byte = begin is not None
        self._dialect = dialect(guard, max_line, max_plain)
        # A dialect that knows a ClientHello has rules of its own for it, as postgres.
        self._begun = (State.START, CLIENT_HELLO) in dialect.table

    def receive(self, data: bytes) -> list[Command]:
        """Return what to do about ``data``; raises RuntimeError once the dialogue is over."""
        is_hello = not self._begun and data.startswith(HANDSHAKE)
        if self.state.final or is_hello or not data:
            return super().receive(data)
        commands = self.nothing_came() + self._dialect.receive(data)
        self.state = self._dialect.state
        return commands

    def nothing_came(self) -> list[Command]:
        """Begin the dialect, as a client that has no ClientHello to send expects."""
        if self._begun or self.state.final:
            return []
        self._begun = True
        commands = self._dialect.start()
        self.state = self._dialect.state
        return commands

    def _next_event(self) -> Event | None:
        return Event(CLIENT_HELLO) if self._input else None
