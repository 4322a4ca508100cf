"""All settings of a connection in one value, validated once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.tls.contexts import TLS, check_tls
from tlsdemo.tls.modes import Mode
from tlsdemo.tls.timeouts import NO_TIMEOUTS, Timeouts
from tlsdemo.tls.transport_options import TransportOptions


@dataclass(frozen=True)
class ConnectionSettings:
    """The settings of every connection that a server accepts or a client makes.

    Attributes:
        mode: How the connection is secured: one of :data:`MODES`.
        tls: The TLS settings of our end: a ``ServerTLS`` or a ``ClientTLS``.
        negotiation: Makes the negotiation before TLS, such as ``DIALECTS["smtp"].server`` of
            :mod:`tlsdemo.starttls.registry`; called once for each connection.  By default TLS
            begins at once, of a client as well.
        transport: How the application's transport delivers and sends; by default as is usual for
            ``mode``, with half of ``max_buffer`` as the high-water mark.
        timeouts: How many seconds each phase may last; no limits by default.
        max_buffer: Bytes that are buffered at most in each direction of a connection.

    Raises:
        ValueError: If the high-water mark of ``transport`` is more than half of ``max_buffer``:
            the other half is for what one read of the socket brings.
        TypeError: If ``mode``, ``tls`` or ``negotiation`` is something else, such as a name.
    """

    mode: Mode
    tls: TLS
    negotiation: Callable[[], Negotiation] = ImmediateServer
    transport: TransportOptions = field(default=None)  # type: ignore[assignment]
    timeouts: Timeouts = NO_TIMEOUTS
    max_buffer: int = MAX_BUFFER

    def __post_init__(self) -> None:
        if not isinstance(self.mode, Mode):
            raise TypeError(f"mode is {self.mode!r}; give one of MODES: MODES[ModeName.PAIR]")
        check_tls(self.tls)
        if not callable(self.negotiation):
            raise TypeError(
                f"negotiation is {self.negotiation!r}; give the role of a dialect:"
                ' DIALECTS["smtp"].server'
            )
        if self.transport is None:
            transport = self.mode.transport_options(None, None, self.max_buffer // 2)
            object.__setattr__(self, "transport", transport)
        if self.transport.high_water > self.max_buffer // 2:
            raise ValueError(
                f"high_water is {self.transport.high_water:,}, more than half of max_buffer, "
                f"which is {self.max_buffer:,}"
            )
