"""Mode ``starttls``: the socket's own ``transport.startTLS``, in mid-stream."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.stream import Listener, TransportOptions
from tlsdemo.tls.tls_stream import TLSStream


class _Started(TLSStream):
    """Undoes at the end what ``startTLS`` has done to a transport."""

    transport: Any

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the end on, and have the transport hold the layer no more, which holds it."""
        super().connectionLost(reason)
        for name in ("getHandle", "getPeerCertificate"):
            vars(self.transport).pop(name, None)


def secure(
    transport: Any,
    tls: TLS,
    listener: Listener,
    transport_options: TransportOptions,
    _clock: IReactorTime,
) -> tuple[TLSStream, TLSStream]:
    """Secure ``transport`` (``ITLSTransport``) now, in the direction that it was opened.

    From here on, Twisted hands its protocol cleartext.  That protocol must provide
    ``IHandshakeListener``: a method of the name alone is never called.
    """
    cleartext = _Started(listener, transport_options)
    cleartext.transport = transport
    transport.startTLS(tls)
    cleartext.attach(transport.protocol)
    return cleartext, cleartext
