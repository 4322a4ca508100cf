"""Upgrade protocols that negotiate in plaintext, in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tls.memory_ends import End
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import NO_TIMEOUTS, TLS, ModeName, Send, Timeouts

SECRET = b"the password is SECRET"
UPGRADING_MODES = (ModeName.STARTTLS, ModeName.PAIR)
NEGOTIATING = [dialect for dialect in DIALECTS.values() if dialect.negotiates]
SECURED: list[object] = ["handshake completed", "secure", "connected"]


class Talker(End):
    """One of our ends, with a negotiation and timeouts; ``said`` is everything that it has sent."""

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
        """Receive ``pieces`` one by one, and answer each."""
        for piece in pieces:
            self.transport.deliver(piece)
            self.take()
        self.transport.turn()

    @property
    def cause(self) -> str:
        assert self.listener.close_reason is not None, self.log
        return self.listener.close_reason.cause.value


def tell_secrets(talker: Talker) -> Talker:
    """Have the application send a secret as soon as it can."""
    say: Callable[[], object] = lambda: talker.stream.write(SECRET)  # noqa: E731
    talker.application.on_connected = say
    return talker
