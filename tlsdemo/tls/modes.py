"""The modes by name: how a connection is secured, and the defaults that go with it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime

from tlsdemo.tls import clear_stream, secure_pair, starttls, wrapped
from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.transport_options import Delivery, Send, TransportOptions


class ModeName(enum.Enum):
    """The names of the modes."""

    STARTTLS = "starttls"
    PAIR = "pair"
    WRAPPED = "wrapped"
    CLEAR = "clear"


@dataclass(frozen=True)
class Mode:
    """One way to secure a connection.

    Attributes:
        name: What users call it.
        delivery: How it delivers unless told otherwise.
        send: How it sends unless told otherwise.
        called: The event of beginning to secure.
        returned: The event of being done with that.
        secure: Called with the transport, the TLS side, the stream's setup and a clock.
            From then on the transport delivers elsewhere.  Returns what takes
            bytes of the wire, and the application's stream.
        wrap: Called with the TLS side, a factory and a clock, before there is a connection;
            returns the factory to use.
        encrypts: Whether it secures at all.
        allows_negotiation: Whether anything can be said in plaintext before TLS.
    """

    name: ModeName
    delivery: Delivery
    send: Send
    called: str
    returned: str
    secure: Callable[[Any, TLS, StreamSetup, IReactorTime], tuple[IProtocol, Stream]]
    wrap: Callable[[TLS, IProtocolFactory, IReactorTime], IProtocolFactory] = (
        lambda _tls, factory, _clock: factory
    )
    encrypts: bool = True
    allows_negotiation: bool = True

    def transport_options(
        self, delivery: Delivery | None, send: Send | None, high_water: int
    ) -> TransportOptions:
        """Return the mode's defaults, with ``delivery`` and ``send`` in place of them if given."""
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
            secure_pair.secure,
        ),
        Mode(
            ModeName.WRAPPED,
            Delivery.RECORD,
            Send.BUFFERED,
            "TLS from the first byte",
            "TLS layer taken",
            wrapped.secure,
            wrapped.wrap,
            allows_negotiation=False,
        ),
        Mode(
            ModeName.CLEAR,
            Delivery.RECORD,
            Send.RAW,
            "left in the clear",
            "in the clear",
            clear_stream.secure,
            encrypts=False,
            allows_negotiation=False,
        ),
    )
}
