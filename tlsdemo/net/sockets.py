"""Socket options, and the size of a transport's buffers."""

from __future__ import annotations

import contextlib
from typing import Any

from twisted.internet.abstract import FileDescriptor


def without_delay(transport: Any) -> None:
    """Disable Nagle's algorithm (TCP_NODELAY, tcp(7)), if ``transport`` is a TCP transport.

    Together with delayed acknowledgements, it would delay some exchanges by about 40 ms.
    """
    set_no_delay = getattr(transport, "setTcpNoDelay", None)
    if set_no_delay is not None:
        # In old versions of Twisted, the clients of UNIX sockets have the method as well.
        with contextlib.suppress(OSError):
            set_no_delay(True)


MAX_BUFFER = 1 << 17
"""Bytes that are buffered in each direction of a connection, unless configured otherwise."""


def bound_buffers(transport: Any, most: int) -> None:
    """Limit what ``transport`` buffers for a peer that does not read to ``most`` bytes.

    The transport pauses its producer when its buffer holds half of that.  The other half is the
    size of a read, which may still arrive then.  So this has to be set on both transports of a
    proxied connection, and each must be the other's producer.  Below TLS it applies to the
    transport that has the socket; transports without a socket are left as they are.
    """
    transport = socket_transport(transport)
    if transport is not None:
        transport.bufferSize = most // 2


def socket_transport(transport: Any) -> FileDescriptor | None:
    """Return ``transport``, or the one below its TLS, that has the socket; ``None`` if none has."""
    while transport is not None and not isinstance(transport, FileDescriptor):
        transport = getattr(transport, "transport", None)
    return transport
