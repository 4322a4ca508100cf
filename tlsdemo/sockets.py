"""What is set on a socket, where a connection has one."""

from __future__ import annotations

from typing import Any


def without_delay(transport: Any) -> None:
    """Have each write sent at once, where ``transport`` is of TCP (TCP_NODELAY, tcp(7)).

    To wait for more, as TCP does by itself, costs a turn of a conversation some 40 ms.
    """
    set_no_delay = getattr(transport, "setTcpNoDelay", None)
    if set_no_delay is not None:
        set_no_delay(True)
