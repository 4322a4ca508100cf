"""Writing to a socket at once, rather than when the reactor finds that it can be written to.

Theory of operation.  ``write`` of a Twisted transport only queues: the reactor begins to watch the
socket, finds in its next turn that it can be written to, sends, and stops watching.  For a socket
that can take the data, as it nearly always can, that is two calls of epoll_ctl(2) and half a turn
for nothing, and the data of all connections of a turn is in memory at the same time.  What is
written here is sent at once if nothing is queued before it; only what the socket does not take is
queued, so that order, flow control and closing are the transport's as ever.

Whether something is queued is known by private names of Twisted.  It cannot be done where one of
them is missing, nor for a transport that has no socket.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure

_NEEDED = ("_tempDataLen", "_writeDisconnected", "_aborting")
"""The names of a transport that Twisted does not document."""


def prompt_writer(transport: Any) -> Callable[[bytes], object] | None:
    """Return a function that writes to ``transport`` at once, or ``None`` if that cannot be.

    For writers of few large pieces: each costs a call of send(2).  If TLS has been started on the
    transport, this writes below it.
    """
    if isinstance(transport, FileDescriptor) and all(hasattr(transport, each) for each in _NEEDED):
        return _writer(transport)
    return None


def send_queued(transport: Any) -> None:
    """Send what has been written to ``transport`` now, as the reactor does in its next turn.

    Does nothing if the transport has no socket, or is being closed.
    """
    if not isinstance(transport, FileDescriptor):
        return
    if transport.connected and not transport.disconnecting and transport.doWrite() is not None:
        _lose(transport)


def _writer(transport: FileDescriptor) -> Callable[[bytes], None]:
    queue = partial(FileDescriptor.write, transport)
    send = transport.writeSomeData
    # Any, for the private names.
    state: Any = transport

    def write(data: bytes) -> None:
        if state._tempDataLen or state.dataBuffer or not data:
            queue(data)
            return
        if state._aborting or state._writeDisconnected or not state.connected:
            # It drops what is queued.
            queue(data)
            return
        sent: Any = send(data)
        if sent == len(data):
            return
        if isinstance(sent, Exception) or sent < 0:
            # What follows has to be queued too.
            queue(data)
            _lose(transport)
        else:
            queue(data[sent:])

    return write


def _lose(transport: Any) -> None:
    """Report that ``transport`` is lost, in the next turn, after what has arrived before.

    The failed call has taken the error from the socket.  Reading it would find an end in order.
    """
    reading = transport in transport.reactor.getReaders()
    transport.stopReading()

    def lose() -> None:
        if not transport.connected:
            return
        try:
            if reading:
                transport.doRead()
        finally:
            transport.connectionLost(Failure(CONNECTION_LOST))

    transport.reactor.callLater(0, lose)
