"""Replacing the protocol that a transport delivers to."""

from __future__ import annotations

from typing import Any


def replace_protocol(transport: Any, new: object) -> None:
    """Make ``transport`` deliver to ``new`` instead of its present protocol.

    A wrapper that a client endpoint has put in between only forwards, and is replaced as well.

    Raises:
        TypeError: If ``transport`` has no attribute for its protocol.
    """
    setattr(transport, protocol_attribute(transport), new)


def protocol_attribute(transport: Any) -> str:
    """Return the public attribute of ``transport`` that is the protocol which it delivers to.

    It is ``wrappedProtocol`` of a :class:`~twisted.protocols.policies.ProtocolWrapper`, such as a
    TLS layer, and ``protocol`` of a reactor's transport.

    Raises:
        TypeError: If it has neither.
    """
    for name in ("wrappedProtocol", "protocol"):
        # Not getattr: a ProtocolWrapper passes that on to the transport below it.
        if name in getattr(transport, "__dict__", ()):
            return name
    raise TypeError(f"{transport!r} has no protocol or wrappedProtocol that could be replaced")
