"""How one kind of connection is made and secured: all settings in one value, validated once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.modes import Mode
from tlsdemo.tls.timeouts import NO_TIMEOUTS, Timeouts
from tlsdemo.tls.transport_options import TransportOptions


@dataclass(frozen=True)
class ConnectionSettings:
    """What an :class:`~tlsdemo.tls.upgrade_protocol.UpgradeProtocol` needs to know.

    Attributes:
        mode: How the connection is secured.
        tls: Which end of TLS it is, with its context: a ``ServerTLS`` or a ``ClientTLS``.
        negotiation: Makes what is said in plaintext before TLS, for each connection anew.
        transport: How the application's transport delivers and sends; the mode's defaults if
            it is not given.
        timeouts: How long each phase may last.
        max_buffer: Bytes that are kept at the most in each direction of a connection.

    Raises:
        ValueError: If ``transport`` would keep more than half of ``max_buffer``: the other half
            is for what one read of the socket brings.
    """

    mode: Mode
    tls: TLS
    negotiation: Callable[[], Negotiation] = ImmediateServer
    transport: TransportOptions = field(default=None)  # type: ignore[assignment]
    timeouts: Timeouts = NO_TIMEOUTS
    max_buffer: int = MAX_BUFFER

    def __post_init__(self) -> None:
        if self.transport is None:
            transport = self.mode.transport_options(None, None, self.max_buffer // 2)
            object.__setattr__(self, "transport", transport)
        if self.transport.high_water > self.max_buffer // 2:
            raise ValueError(
                f"high_water is {self.transport.high_water:,}, more than half of max_buffer, "
                f"which is {self.max_buffer:,}"
            )
