"""The catalogue of modes: by name, how a connection is secured and what is stock for it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime

from tlsdemo.tls import clear_stream as clear
from tlsdemo.tls import secure_pair as pair
from tlsdemo.tls import starttls, wrapped
from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.stream import Delivery, Listener, Send, Stream, TransportOptions

Secured = tuple[IProtocol, Stream]


class ModeName(enum.Enum):
    """The names of the modes."""

    STARTTLS = "starttls"
    PAIR = "pair"
    WRAPPED = "wrapped"
    CLEAR = "clear"


@dataclass(frozen=True)
class Mode:
    """One way to secure a connection.

    ``secure(transport, tls, listener, manner, clock)`` returns the wire's protocol, which from
    then on must be handed all that the socket's protocol receives, and the application's stream.
    ``called`` and ``returned`` name the events of calling it, on a timeline.
    """

    name: ModeName
    delivery: Delivery
    send: Send
    called: str
    returned: str
    secure: Callable[[Any, TLS, Listener, TransportOptions, IReactorTime], Secured]
    wrap: Callable[[TLS, IProtocolFactory, IReactorTime], IProtocolFactory] = (
        lambda _tls, factory, _clock: factory
    )

    @property
    def encrypts(self) -> bool:
        """Whether this mode secures at all."""
        return self.name is not ModeName.CLEAR

    def transport_options(
        self, delivery: Delivery | None, send: Send | None, high_water: int
    ) -> TransportOptions:
        """Return the mode's stock manner, with what was asked for otherwise."""
        return TransportOptions(delivery or self.delivery, send or self.send, high_water)


MODES = {
    mode.name: mode
    for mode in (
        Mode(
            ModeName.STARTTLS,
            Delivery.RECORD,
            Send.BUFFERED,
            "startTLS called",
            "startTLS returned",
            starttls.secure,
        ),
        Mode(
            ModeName.PAIR,
            Delivery.COALESCED,
            Send.RAW,
            "pair joined",
            "pair connected",
            pair.secure,
        ),
        Mode(
            ModeName.WRAPPED,
            Delivery.RECORD,
            Send.BUFFERED,
            "TLS from the first byte",
            "TLS layer taken",
            wrapped.secure,
            wrapped.wrap,
        ),
        Mode(
            ModeName.CLEAR,
            Delivery.RECORD,
            Send.RAW,
            "left in the clear",
            "in the clear",
            clear.secure,
        ),
    )
}
