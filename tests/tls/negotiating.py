"""Sessions that have words before TLS, in memory, and what their peers say in each dialect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.tls.memory_ends import End
from tlsdemo.starttls.negotiation import Command, Negotiation, Switch
from tlsdemo.starttls.registry import DIALECTS, Dialect
from tlsdemo.tls import NO_TIMEOUTS, TLS, ModeName, Send, Timeouts

SECRET = b"the password is SECRET"
MODES_WITH_WORDS = (ModeName.STARTTLS, ModeName.PAIR)
TALKATIVE = [dialect for dialect in DIALECTS.values() if dialect.has_words]
SECURED: list[object] = ["handshake completed", "secure", "connected"]


class Talker(End):
    """An end of ours with a dialogue and with deadlines; ``said`` is all that it has sent."""

    def __init__(
        self,
        mode: ModeName,
        tls: TLS,
        negotiation: Negotiation | None = None,
        timeouts: Timeouts = NO_TIMEOUTS,
        **options: Any,
    ) -> None:
        options.setdefault("send", Send.RAW)
        options.setdefault("high_water", 64)
        if negotiation is not None:
            options["negotiation"] = lambda: negotiation
        super().__init__(mode, tls, timeouts=timeouts, **options)
        self.said = b""

    def take(self) -> bytes:
        taken = self.transport.take()
        self.said += taken
        return taken

    def hear(self, *pieces: bytes) -> None:
        """Be told ``pieces``, and answer each."""
        for piece in pieces:
            self.transport.deliver(piece)
            self.take()
        self.transport.turn()

    @property
    def cause(self) -> str:
        assert self.listener.close_reason is not None, self.log
        return self.listener.close_reason.cause.value


@dataclass(frozen=True)
class Talk:
    """What the two sides of a dialect say, a piece for each turn, when all goes well."""

    client: tuple[bytes, ...]
    server: tuple[bytes, ...]


def talk(dialect: Dialect) -> Talk:
    """Let the two sides of ``dialect`` talk with each other."""
    sides = dialect.client(), dialect.server()
    turns: tuple[list[bytes], list[bytes]] = [], []
    waiting = [_said(side.start()) for side in sides]
    while any(waiting):
        for speaker, hearer in ((1, 0), (0, 1)):
            data, waiting[speaker] = waiting[speaker], b""
            if data:
                turns[speaker].append(data)
                if not sides[hearer].state.final:
                    waiting[hearer] += _said(sides[hearer].receive(data))
    return Talk(tuple(turns[0]), tuple(turns[1]))


def _said(commands: list[Command]) -> bytes:
    return b"".join(each.data for each in commands if not isinstance(each, Switch))


def tell_secrets(talker: Talker) -> Talker:
    """Have the application say a secret as soon as it may."""
    say: Callable[[], object] = lambda: talker.stream.write(SECRET)  # noqa: E731
    talker.application.on_connected = say
    return talker
