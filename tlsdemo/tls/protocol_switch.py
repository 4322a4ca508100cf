"""Having a transport deliver to another protocol from now on."""

from __future__ import annotations

from typing import Any


def replace_protocol(transport: Any, new: object) -> None:
    """Have ``transport`` deliver to ``new`` from now on, instead of to its present protocol.

    That is ``wrappedProtocol`` of a :class:`~twisted.protocols.policies.ProtocolWrapper`, such as
    a TLS layer, and ``protocol`` of a reactor's transport; both are public.  What a client endpoint
    has put in between only forwards, and is not needed any more.  Raises TypeError for a transport
    that has neither.
    """
    for name in ("wrappedProtocol", "protocol"):
        # Not getattr: a ProtocolWrapper answers for the transport below it as well.
        if name in vars(transport):
            setattr(transport, name, new)
            return
    raise TypeError(f"{transport!r} has no protocol or wrappedProtocol that could be replaced")
