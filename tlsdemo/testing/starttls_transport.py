"""A transport in memory with Twisted's own ``startTLS``.

``startTLS`` is a method of Twisted's sockets.  What it does is in a private module,
``twisted.internet._newtls``, and there is no public name for it.  This file is the only one that
uses Twisted's private names; the architecture tests see to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet import _newtls
from twisted.internet.interfaces import IReactorTime, ITLSTransport
from twisted.internet.task import Clock
from twisted.protocols import tls
from zope.interface import implementer

from tlsdemo.testing.memory_transport import MemoryTransport


@implementer(ITLSTransport)
class StartTLSTransport(MemoryTransport):
    """A :class:`MemoryTransport` that can be upgraded to TLS, as a TCP connection can.

    What is delivered and taken is what is on the wire: plain text before ``startTLS``, TLS
    records after it.

    Args:
        protocol: Receives what is delivered: plain text, then what has been decrypted.
        is_client: Whether this end opened the connection.  A client sends the ClientHello, unless
            ``startTLS`` is called with ``normal=False``.
        clock: Twisted buffers small writes under TLS until the next iteration of the reactor.
            :meth:`take` and :meth:`turn` have this clock flush them.  What tlsdemo's streams
            buffer is flushed by the clock of the ``UpgradeProtocol``: let that be the same.

    Attributes:
        TLS: Whether ``startTLS`` has been called.
        clock: As above; by default a clock of its own.
        reactor: The same clock; a socket has its reactor there, and ``upgrade`` looks for it.
    """

    TLS = False

    def __init__(
        self, protocol: Any = None, *, is_client: bool = False, clock: Clock | None = None
    ) -> None:
        super().__init__(protocol)
        self.clock = self.reactor = clock or Clock()
        self._tlsClientDefault = is_client

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:  # noqa: N803
        """See `ITLSTransport`."""
        start_tls(self, contextFactory, MemoryTransport, normal=normal, clock=self.clock)

    def take(self) -> bytes:
        """Return what has been written since the last call, buffered writes included."""
        self.clock.advance(0)
        return super().take()

    def turn(self) -> None:
        """Do what one iteration of the reactor would: read, flush, and close if requested."""
        self.clock.advance(0)
        super().turn()

    def write(self, data: bytes) -> None:
        """See `ITransport`."""
        if not self.TLS:
            super().write(data)
        elif self.connected:
            self.protocol.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """See `ITransport`."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """See `ITransport`; under TLS this sends close_notify and waits for the peer's."""
        if not self.TLS:
            super().loseConnection()
        elif self.connected and not self.disconnecting:
            self.protocol.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See `IConsumer`; under TLS, the TLS layer paces the producer."""
        if self.TLS:
            self.protocol.registerProducer(producer, streaming)
        else:
            super().registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """See `IConsumer`."""
        if self.TLS:
            self.protocol.unregisterProducer()
        else:
            super().unregisterProducer()


def start_tls(
    transport: Any,
    context_factory: Any,
    bypass: type,
    *,
    normal: bool = True,
    clock: IReactorTime | None = None,
) -> None:
    """Start TLS on any ``transport``, as the ``startTLS`` of Twisted's sockets does.

    Args:
        transport: Needs ``protocol``, ``producer`` and ``_tlsClientDefault``.  ``TLS`` becomes
            True; from then on the transport has to pass ``write``, ``writeSequence``,
            ``loseConnection``, ``registerProducer`` and ``unregisterProducer`` to its
            ``protocol``, which is the TLS layer now.
        context_factory: An ``IOpenSSLContextFactory`` or an OpenSSL connection creator.
        bypass: The class whose methods of these names the TLS layer calls.
        normal: See `ITLSTransport.startTLS`.
        clock: Flushes buffered writes; by default the global reactor.
    """
    if clock is None:
        _newtls.startTLS(transport, context_factory, normal, bypass)
    else:
        with default_clock(clock):
            _newtls.startTLS(transport, context_factory, normal, bypass)


@contextmanager
def default_clock(clock: IReactorTime) -> Iterator[None]:
    """Have the TLS factories that are made meanwhile flush by ``clock``."""
    # startTLS makes its TLSMemoryBIOFactory itself, without a clock.
    before = tls._get_default_clock
    tls._get_default_clock = lambda: clock
    try:
        yield
    finally:
        tls._get_default_clock = before
