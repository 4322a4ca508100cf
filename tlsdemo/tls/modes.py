"""The modes: how a connection is secured, and the transport options that are usual for it."""

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
    """A mode of securing a connection.

    Attributes:
        name: Its name in options and reports.
        delivery: The default delivery.
        send: The default for sending.
        called: The name of the event that is reported before ``secure`` is called.
        returned: The name of the event that is reported when it has returned.
        secure: Secures a transport; called with it, the TLS settings, the stream's setup and a
            clock.  The transport then delivers to the protocol that is returned first; the
            application's stream is returned second.
        wrap: Called with the TLS settings, a factory and a clock, before there is a connection;
            returns the factory to listen or connect with.
        encrypts: Whether the connection is encrypted.
        allows_negotiation: Whether a negotiation in plaintext can come before TLS.
        needs_socket: Whether the transport must be that of a socket (``ITLSTransport``).
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
    needs_socket: bool = False

    def transport_options(
        self, delivery: Delivery | None, send: Send | None, high_water: int
    ) -> TransportOptions:
        """Return transport options, with the mode's defaults in place of ``None``."""
        return TransportOptions(delivery or self.delivery, send or self.send, high_water)


MODES: dict[ModeName, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            ModeName.STARTTLS,
            Delivery.RECORD,
            Send.BUFFERED,
            "startTLS called",
            "startTLS returned",
            starttls.secure,
            needs_socket=True,
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
"""All modes, by name."""
