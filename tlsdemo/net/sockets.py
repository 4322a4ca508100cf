"""What is set on a socket, where a connection has one."""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor


def without_delay(transport: Any) -> None:
    """Have each write sent at once, where ``transport`` is of TCP (TCP_NODELAY, tcp(7)).

    To wait for more, as TCP does by itself, costs a turn of a conversation some 40 ms.
    """
    set_no_delay = getattr(transport, "setTcpNoDelay", None)
    if set_no_delay is not None:
        set_no_delay(True)


MAX_BUFFER = 1 << 17
"""Bytes that are kept in each direction of a connection, unless told otherwise."""


def bound_buffers(transport: Any, most: int) -> None:
    """Have ``transport`` keep no more than ``most`` bytes for a peer that does not take them.

    Half of that is what makes it pause its producer, and the other half what a read brings at
    once, which is what may still come.  So this must be done on both sides of a connection that
    passes bytes on, and the producer must be one that can be paused.  A transport of TLS hands it
    down to its socket; what has no socket of Twisted's keeps its own bound.
    """
    while transport is not None and not isinstance(transport, FileDescriptor):
        transport = getattr(transport, "transport", None)
    if transport is not None:
        transport.bufferSize = most // 2
