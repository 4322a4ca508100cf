"""Reset a connection once all that was written to it has been received.

Nobody then takes a truncated stream for a complete one, and no byte is lost.

Theory of operation.  A FIN says that a stream is complete, so what ends a truncated one is a reset
(RST).  But a reset takes back whatever the other side has not received yet, in our own buffer and
in that of the system (SO_LINGER, socket(7)).  So it has to wait until both are empty.  Of its own
buffer a transport tells a pull producer; the system's is asked for (SIOCOUTQ, tcp(7)), again and
again, for there is nobody who tells.
"""

from __future__ import annotations

import fcntl
import struct
import termios
from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IDelayedCall, IPullProducer, IReactorTime
from zope.interface import implementer

_INTERVAL = 0.05
"""Seconds between two looks at what the other side has not received."""


def unreceived(transport: Any) -> int:
    """Return how many bytes the system keeps that the other side has not received.

    0 where the system does not tell.
    """
    try:
        answer = fcntl.ioctl(transport.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    except (OSError, ValueError):
        return 0
    (size,) = struct.unpack("i", answer)
    return int(size)


def reset_after_flush(
    transport: Any, clock: IReactorTime, left: Callable[[Any], int] = unreceived
) -> None:
    """Reset ``transport`` once all that was written to it has been received.

    It must have no producer.  This waits for as long as it takes: who cannot, aborts.  What is not
    one of Twisted's sockets, is aborted at once.
    """
    if isinstance(transport, FileDescriptor):
        _ResetAfterFlush(transport, clock, left).begin()
    else:
        transport.abortConnection()


@implementer(IPullProducer)
class _ResetAfterFlush:
    def __init__(self, transport: Any, clock: IReactorTime, left: Callable[[Any], int]) -> None:
        self._transport = transport
        self._clock = clock
        self._left = left
        self._registered = False
        self._call: IDelayedCall | None = None

    def begin(self) -> None:
        self._transport.registerProducer(self, False)
        self._registered = True
        # An empty buffer is only told of by a turn of writing.
        self._transport.startWriting()

    def resumeProducing(self) -> None:
        # The first call comes from registering, and says nothing.
        if self._registered and self._call is None:
            self._look()

    def _look(self) -> None:
        self._call = None
        if self._left(self._transport):
            self._call = self._clock.callLater(_INTERVAL, self._look)
        else:
            self._transport.abortConnection()

    def stopProducing(self) -> None:
        # The connection is gone.
        if self._call is not None:
            self._call.cancel()
            self._call = None
