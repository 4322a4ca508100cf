"""Mode ``starttls``: the socket's own ``transport.startTLS``, in mid-stream."""

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
    """Undoes at the end what ``startTLS`` has done to a transport."""

    transport: Any

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the end on, and break the reference cycle of the transport and its layer."""
        super().connectionLost(reason)
        for name in ("getHandle", "getPeerCertificate"):
            vars(self.transport).pop(name, None)


def secure(
    transport: Any, tls: TLS, setup: StreamSetup, _clock: IReactorTime
) -> tuple[TLSMemoryBIOProtocol, TLSStream]:
    """Secure ``transport`` (``ITLSTransport``) now, in the direction that it was opened.

    ``startTLS`` puts its layer between the transport and the transport's protocol, which is the
    stream by then.  The stream provides ``IHandshakeListener``: Twisted never calls a method of
    the name alone.
    """
    stream = _StartTLSStream(setup)
    stream.transport = transport
    replace_protocol(transport, stream)
    transport.startTLS(ObservedTLS(tls, setup.observer))
    layer: TLSMemoryBIOProtocol = transport.protocol
    stream.attach(layer)
    return layer, stream
