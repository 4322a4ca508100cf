"""Reset a connection after the peer has received everything that was written to it.

The peer then loses no byte, and does not mistake a truncated stream for a complete one.

Theory of operation.  A FIN means that a stream is complete, so a truncated stream has to end with a
reset (RST).  But a reset discards whatever the peer has not received yet, both in the transport's
buffer and in the send queue of the kernel (SO_LINGER, socket(7)).  So it has to wait until both are
empty.  The transport resumes a pull producer when its buffer is empty.  There is no event for the
send queue, so its size is polled (SIOCOUTQ, tcp(7)).
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
"""Seconds between two polls of the send queue."""


def unreceived(transport: Any) -> int:
    """Return the number of bytes in the kernel's send queue that the peer has not acknowledged.

    Return 0 if the system does not know.
    """
    try:
        answer = fcntl.ioctl(transport.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    except (OSError, ValueError):
        return 0
    (size,) = struct.unpack("i", answer)
    return int(size)


def reset_after_flush(
    transport: Any, clock: IReactorTime, queued: Callable[[Any], int] = unreceived
) -> None:
    """Abort ``transport`` when the peer has received everything that was written to it.

    It must have no producer.  There is no timeout: a caller that cannot wait aborts the transport
    itself.  A transport that is no file descriptor is aborted at once.
    """
    if isinstance(transport, FileDescriptor):
        _ResetAfterFlush(transport, clock, queued).start()
    else:
        transport.abortConnection()


@implementer(IPullProducer)
class _ResetAfterFlush:
    def __init__(self, transport: Any, clock: IReactorTime, queued: Callable[[Any], int]) -> None:
        self._transport = transport
        self._clock = clock
        self._queued = queued
        self._registered = False
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        self._transport.registerProducer(self, False)
        self._registered = True
        # Without a pending write, the producer would not be resumed.
        self._transport.startWriting()

    def resumeProducing(self) -> None:
        # The call that comes from registerProducer does not mean that the buffer is empty.
        if self._registered and self._call is None:
            self._poll()

    def _poll(self) -> None:
        self._call = None
        if self._queued(self._transport):
            self._call = self._clock.callLater(_INTERVAL, self._poll)
        else:
            self._transport.abortConnection()

    def stopProducing(self) -> None:
        # The connection has been lost.
        if self._call is not None:
            self._call.cancel()
            self._call = None
