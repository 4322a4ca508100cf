"""Servers that accept TLS from the first byte as well as another dialect (``--dialect=auto:…``).

A ClientHello begins with the byte 0x16, and nothing else that a client sends does, so the first
byte decides.  Where the client speaks first, that costs nothing.  Where the server greets, each
side would wait for the other; so the server waits for a moment, and greets if nothing has arrived.
The upgrade protocol, which has the clock, decides how long.  The moment must exceed a round trip,
or a ClientHello crosses the greeting and the connection fails; but every client that waits for the
greeting is delayed by it.  A client that speaks before it is greeted is greeted at once, and then
answered.
"""

from __future__ import annotations

from tlsdemo.starttls.names import DEFAULT_NAMES, Names
from tlsdemo.starttls.negotiation import (
    CLIENT_HELLO,
    CONNECTED,
    HANDSHAKE,
    MAX_PLAIN,
    Command,
    Message,
    Negotiation,
    Rule,
    State,
    Table,
)

_TABLE: Table = {(State.START, CLIENT_HELLO): Rule(State.SWITCHED)}


class AutoServer(Negotiation):
    """A server that accepts a ClientHello at once, and passes everything else to ``dialect``.

    Raises ValueError for a dialect that starts TLS at once, because the two cannot be told apart.
    """

    table = _TABLE

    def __init__(
        self,
        dialect: type[Negotiation],
        guard: bool = True,
        max_line: int | None = None,
        max_plain: int = MAX_PLAIN,
        names: Names = DEFAULT_NAMES,
    ) -> None:
        super().__init__(guard, max_line, max_plain, names)
        connected = dialect.table.get((State.START, CONNECTED))
        if connected is not None and connected.next.final:
            raise ValueError(f"{dialect.__name__} has no plaintext that could be told from TLS")
        self.awaits_first_byte = connected is not None
        self._dialect = dialect(guard, max_line, max_plain, names)
        # A dialect that has a rule for a ClientHello handles it by itself, such as postgres.
        self._begun = (State.START, CLIENT_HELLO) in dialect.table

    def receive(self, data: bytes) -> list[Command]:
        """Return the commands that ``data`` leads to.

        Raises RuntimeError if the negotiation is over.
        """
        is_hello = not self._begun and data.startswith(HANDSHAKE)
        if self.state.final or is_hello or not data:
            return super().receive(data)
        commands = self.nothing_came() + self._dialect.receive(data)
        self.state = self._dialect.state
        return commands

    def nothing_came(self) -> list[Command]:
        """Start the dialect: the client has not sent a ClientHello, so it waits for a greeting."""
        if self._begun or self.state.final:
            return []
        self._begun = True
        commands = self._dialect.start()
        self.state = self._dialect.state
        return commands

    def _next_message(self) -> Message | None:
        return Message(CLIENT_HELLO) if self._input else None
