"""A tlsdemo end in memory that negotiates in plaintext."""

from __future__ import annotations

from typing import Any

from tests.tls.memory_ends import End
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import NO_TIMEOUTS, TLS, ModeName, Send, Timeouts

SECRET = b"the password is SECRET"
UPGRADING_MODES = (ModeName.STARTTLS, ModeName.PAIR)
NEGOTIATING = [dialect for dialect in DIALECTS.values() if dialect.negotiates]
SECURED: list[object] = ["handshake completed", "secure", "connected"]


class NegotiatingEnd(End):
    """An end with a negotiation and timeouts; ``sent`` is everything that it has sent."""

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
        self.sent = b""

    def take(self) -> bytes:
        """Return what has been sent since the last call."""
        taken = self.transport.take()
        self.sent += taken
        return taken

    def receive(self, *pieces: bytes) -> None:
        """Receive ``pieces`` one by one."""
        for piece in pieces:
            self.transport.deliver(piece)
            self.take()
        self.transport.turn()

    @property
    def cause(self) -> str:
        assert self.listener.close_reason is not None, self.log
        return self.listener.close_reason.cause.value


def with_secret(end: NegotiatingEnd) -> NegotiatingEnd:
    """Make the application send a secret as soon as it is connected."""

    def send_secret() -> None:
        end.stream.write(SECRET)

    end.application.on_connected = send_secret
    return end
