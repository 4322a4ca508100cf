"""SecurePair: TLS as a building block of two sides, which never touches a socket.

Theory of operation.  A pair feeds a ``TLSMemoryBIOProtocol`` by hand.  Its ``encrypted`` side is a
protocol: whatever carries the bytes of the wire connects to it and hands it what arrives.  Its
``cleartext`` side is a transport: whatever speaks in the clear writes to it.  The TLS layer only
*asks* what carries it to lose the connection and trusts to be told when that has happened, so the
encrypted side passes a lost connection on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.error_reasons import Insecure
from tlsdemo.tls.observed_tls import ObservedTLS
from tlsdemo.tls.observer import Observer, failure_facts
from tlsdemo.tls.protocol_switch import replace_protocol
from tlsdemo.tls.stream import StreamSetup
from tlsdemo.tls.tls_stream import TLSStream
from tlsdemo.tls.transport_options import Delivery, Send, TransportOptions

_DEFAULTS = TransportOptions(delivery=Delivery.COALESCED, send=Send.RAW)


@implementer(IProtocol)
class EncryptedSide:
    """The side of the wire: a protocol for any transport.

    The transport needs ``write`` and ``loseConnection``; where it also has ``abortConnection``,
    ``pauseProducing``/``resumeProducing`` and ``registerProducer``, they are used.
    """

    def __init__(self, layer: TLSMemoryBIOProtocol, observer: Observer | None = None) -> None:
        self._layer = layer
        self._observer = observer

    def makeConnection(self, transport: Any) -> None:
        """Begin: a client's hello is written to ``transport`` from within this call."""
        complete = all(hasattr(transport, name) for name in _NEEDED)
        self._layer.makeConnection(transport if complete else _Completed(transport))

    def connectionMade(self) -> None:
        """Nothing: the handshake has begun in ``makeConnection``."""

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the wire, in pieces of any size."""
        self._layer.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note that the wire has ended, which ends the cleartext side too."""
        if self._observer is not None and self._observer.detailed:
            self._observer.detail("socket lost", **failure_facts(reason))
        self._layer.connectionLost(reason)

    def logPrefix(self) -> str:
        """Name this in logs."""
        return type(self).__name__


class SecurePair:
    r"""TLS between an encrypted and a cleartext side, for anything that carries bytes.

    ``application`` is any protocol.  It is connected to :attr:`cleartext` when the pair is
    secure, and never if it is not; so it need not be written for TLS.  ``tls`` says which end of
    the handshake this is: a ``ServerTLS`` or a ``ClientTLS``.  ``on_secure`` is called with the
    :class:`ConnectionInfo` just before the application is connected, and may still say no by
    calling ``pair.cleartext.abortConnection()``; ``on_insecure`` is called with the
    ``CloseReason`` if the connection cannot be secured.  ``clock`` is needed only for
    ``Send.BUFFERED``.  ``observer`` sees everything that happens on the connection.

    A complete example, two pairs joined by nothing but two lists; with sockets, hand ``encrypted``
    to an endpoint or a factory as the protocol instead::

        >>> from twisted.internet.protocol import Protocol
        >>> class Wire:
        ...     '''Carries bytes to the other pair when it is told to.'''
        ...     def __init__(self):
        ...         self.written = []
        ...         self.closing = False
        ...     def write(self, data):
        ...         self.written.append(data)
        ...     def loseConnection(self):
        ...         self.closing = True
        ...     def deliver(self, encrypted):
        ...         while self.written:
        ...             encrypted.dataReceived(self.written.pop(0))
        >>> class Greeter(Protocol):
        ...     def connectionMade(self):
        ...         self.transport.write(b"hello")
        >>> class Printer(Protocol):
        ...     def dataReceived(self, data):
        ...         print("received", data)
        ...     def connectionLost(self, reason):
        ...         print("closed")
        >>> client_wire, server_wire = Wire(), Wire()
        >>> server = SecurePair(
        ...     ServerTLS.build(certificates.server), Printer(),
        ...     on_secure=lambda agreement: print("secure:", agreement.version),
        ...     on_insecure=lambda reason: print("insecure:", reason))
        >>> client = SecurePair(ClientTLS.build(certificates.client, "localhost"), Greeter())
        >>> server.encrypted.makeConnection(server_wire)
        >>> client.encrypted.makeConnection(client_wire)
        >>> while client_wire.written or server_wire.written:
        ...     client_wire.deliver(server.encrypted)
        ...     server_wire.deliver(client.encrypted)
        secure: TLSv1.3
        received b'hello'
        >>> client.cleartext.loseConnection()
        >>> client_wire.deliver(server.encrypted)
        >>> server_wire.closing
        True
        >>> server.encrypted.connectionLost()
        closed

    The example's ``certificates`` are those of
    :func:`tlsdemo.certificates.demo_ca.demo_certificates`.
    """

    def __init__(
        self,
        tls: TLS,
        application: IProtocol,
        *,
        on_secure: Callable[[ConnectionInfo], object] | None = None,
        on_insecure: Callable[[CloseReason], object] | None = None,
        transport_options: TransportOptions = _DEFAULTS,
        clock: IReactorTime | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._listener = _PairListener(application, on_secure, on_insecure)
        setup = StreamSetup(self._listener, transport_options, observer=observer)
        self.cleartext: TLSStream = _PairStream(setup)
        self.encrypted = _join(tls, self.cleartext, setup, clock)

    def secured(self) -> Deferred[ConnectionInfo]:
        """Return a Deferred of the agreement; it fails with :class:`Insecure`.

        It fires when the application has been connected, so that :attr:`cleartext` can be
        written to.  Each call returns one of its own, also after the fact.
        """
        return self._listener.wait()


def secure(
    transport: Any, tls: TLS, setup: StreamSetup, clock: IReactorTime
) -> tuple[EncryptedSide, TLSStream]:
    """Mode ``pair``: put a pair's encrypted side on ``transport``, to be fed by hand."""
    stream = TLSStream(setup)
    encrypted = _join(tls, stream, setup, clock)
    replace_protocol(transport, encrypted)
    encrypted.makeConnection(transport)
    return encrypted, stream


def _join(
    tls: TLS, stream: TLSStream, setup: StreamSetup, clock: IReactorTime | None
) -> EncryptedSide:
    """Make the encrypted side that goes with ``stream``."""
    creator = ObservedTLS(tls, setup.observer)
    factory = TLSMemoryBIOFactory(creator, tls.is_client, None, clock)  # type: ignore[arg-type]
    return EncryptedSide(_LAYERS[setup.options.send](factory, stream), setup.observer)


_LAYERS: dict[Send, type[TLSMemoryBIOProtocol]] = {
    Send.RAW: TLSMemoryBIOProtocol,
    Send.BUFFERED: BufferingTLSTransport,
}


class _PairListener:
    """Turns what a listener hears into callbacks and Deferreds."""

    def __init__(
        self,
        application: IProtocol,
        on_secure: Callable[[ConnectionInfo], object] | None,
        on_insecure: Callable[[CloseReason], object] | None,
    ) -> None:
        self._application = application
        self._on_secure = on_secure
        self._on_insecure = on_insecure
        self._info: ConnectionInfo
        self._outcome: ConnectionInfo | CloseReason | None = None
        self._waiting: list[Deferred[ConnectionInfo]] = []

    def wait(self) -> Deferred[ConnectionInfo]:
        waiting: Deferred[ConnectionInfo] = Deferred()
        self._waiting.append(waiting)
        self._fire()
        return waiting

    def _fire(self) -> None:
        if self._outcome is None:
            return
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            if isinstance(self._outcome, CloseReason):
                deferred.errback(Insecure(self._outcome))
            else:
                deferred.callback(self._outcome)

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        if self._on_secure is not None:
            self._on_secure(info)
        self._info = info
        return self._application

    def connected(self) -> None:
        self._outcome = self._info
        self._fire()

    def plain(self) -> None:
        """Never called: a pair is always TLS."""

    def insecure(self, close_reason: CloseReason) -> None:
        self._outcome = close_reason
        if self._on_insecure is not None:
            self._on_insecure(close_reason)
        self._fire()

    def ended(self, close_reason: CloseReason) -> None:
        """The application hears of it by its own ``connectionLost``."""


class _PairStream(TLSStream):
    """Fires the Deferreds of the pair once its application can write."""

    _listener: _PairListener

    def _connect(self, application: IProtocol) -> None:
        # The connection may end in there, and then the stream no longer has its listener.
        listener = self._listener
        try:
            super()._connect(application)
        finally:
            listener.connected()


_NEEDED = ("abortConnection", "registerProducer", "unregisterProducer", "getPeer", "getHost")


class _Completed:
    """Completes a transport that lacks some of the methods that the TLS layer calls."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def abortConnection(self) -> None:
        getattr(self._transport, "abortConnection", self._transport.loseConnection)()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Without flow control everything is taken, and the producer never paused."""
        getattr(self._transport, "registerProducer", _nothing)(producer, streaming)

    def unregisterProducer(self) -> None:
        getattr(self._transport, "unregisterProducer", _nothing)()

    def getPeer(self) -> Any:
        return getattr(self._transport, "getPeer", _nothing)()

    def getHost(self) -> Any:
        return getattr(self._transport, "getHost", _nothing)()


def _nothing(*_arguments: object) -> None:
    """What a method that is not there does."""
