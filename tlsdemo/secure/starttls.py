"""Mode ``starttls``: the socket's own ``transport.startTLS``, in mid-stream."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime

from tlsdemo.secure.cleartext import Cleartext
from tlsdemo.secure.contexts import TLS
from tlsdemo.secure.stream import Listener, Manner


def secure(
    transport: Any,
    tls: TLS,
    listener: Listener,
    manner: Manner,
    _clock: IReactorTime,
) -> tuple[Cleartext, Cleartext]:
    """Secure ``transport`` (``ITLSTransport``) now, in the direction that it was opened.

    From here on, Twisted hands its protocol cleartext.  That protocol must provide
    ``IHandshakeListener``: a method of the name alone is never called.
    """
    cleartext = Cleartext(listener, manner)
    transport.startTLS(tls)
    cleartext.attach(transport.protocol)
    return cleartext, cleartext
