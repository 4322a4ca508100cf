"""Mode ``starttls``: the transport's own ``startTLS``, on an existing connection."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.observed_tls import ObservedTLS
from tlsdemo.tls.protocol_switch import replace_protocol
from tlsdemo.tls.stream import StreamSetup
from tlsdemo.tls.tls_stream import TLSStream


class _StartTLSStream(TLSStream):
    """Breaks, at the end, the reference cycle that ``startTLS`` makes."""

    transport: Any

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report the end, and break the cycle between the transport and its TLS layer."""
        super().connectionLost(reason)
        for name in ("getHandle", "getPeerCertificate"):
            vars(self.transport).pop(name, None)


def secure(
    transport: Any, tls: TLS, setup: StreamSetup, clock: IReactorTime
) -> tuple[TLSMemoryBIOProtocol, TLSStream]:
    """Start TLS on ``transport`` (``ITLSTransport``).

    ``startTLS`` puts its TLS layer between the transport and the transport's protocol, so the
    stream has to be that protocol first.
    """
    stream = _StartTLSStream(setup, clock)
    stream.transport = stream.socket = transport
    replace_protocol(transport, stream)
    creator = ObservedTLS(tls, setup.observer)
    # Twisted's transports take their role from TCP, unless they are told "not normal".
    if getattr(transport, "_tlsClientDefault", tls.is_client) is tls.is_client:
        transport.startTLS(creator)
    else:
        transport.startTLS(creator, False)
    layer: TLSMemoryBIOProtocol = transport.protocol
    stream.attach(layer)
    return layer, stream
