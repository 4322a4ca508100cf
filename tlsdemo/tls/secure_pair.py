"""SecurePair: TLS between two sides, without a socket.

Theory of operation.  A pair drives a ``TLSMemoryBIOProtocol`` by hand.  Its ``encrypted`` side is a
protocol: connect it to whatever carries the bytes of the wire.  Its ``cleartext`` side is a
transport: the application writes to it.  When the TLS layer closes, it calls ``loseConnection`` of
the wire's transport and waits for ``connectionLost``, so the encrypted side has to pass that on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocol,
    IReactorTime,
)
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.contexts import TLS, check_tls
from tlsdemo.tls.error_reasons import Insecure
from tlsdemo.tls.observer import Observer, failure_facts
from tlsdemo.tls.protocol_switch import replace_protocol
from tlsdemo.tls.stream import StreamSetup
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.tls_stream import TLSStream
from tlsdemo.tls.transport_options import Send, TransportOptions

_DEFAULTS = TransportOptions()


@implementer(IProtocol)
class EncryptedSide:
    """The side of a pair that faces the wire: a protocol for any transport.

    The transport must have ``write`` and ``loseConnection``.  ``abortConnection``,
    ``pauseProducing`` and ``resumeProducing``, ``registerProducer`` and ``unregisterProducer``,
    ``getPeer`` and ``getHost`` are used if it has them.
    """

    def __init__(self, layer: TLSMemoryBIOProtocol, observer: Observer | None = None) -> None:
        self._layer = layer
        self._observer = observer

    def makeConnection(self, transport: Any) -> None:
        """Begin the handshake: a client writes its ClientHello within this call."""
        self._layer.makeConnection(_Wire(transport))

    def connectionMade(self) -> None:
        """Do nothing: the handshake has begun in ``makeConnection``."""

    def dataReceived(self, data: bytes) -> None:
        """Receive bytes from the wire, in pieces of any size."""
        self._layer.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End the cleartext side too, as the wire has been closed or lost."""
        if self._observer is not None and self._observer.detailed:
            self._observer.detail("socket lost", **failure_facts(reason))
        self._layer.connectionLost(reason)

    def logPrefix(self) -> str:
        """Return the name that Twisted's log uses."""
        return type(self).__name__


class SecurePair:
    r"""TLS between an encrypted and a cleartext side, for anything that carries bytes.

    A pair has no timeouts: whoever owns the wire ends a handshake that takes too long, by
    ``pair.cleartext.abortConnection()``.  (:func:`upgrade` and the endpoints have timeouts.)

    Raises:
        ValueError: If the writes are to be joined, and there is no clock.
        TypeError: If ``tls`` is neither of these two.

    Args:
        tls: The TLS settings of this end: a ``ServerTLS`` or a ``ClientTLS``.
        application: Any protocol.  It is connected to :attr:`cleartext` when the pair is secure,
            and never otherwise, so it need not know about TLS.
        on_secure: Called with the :class:`ConnectionInfo` just before the application is
            connected.  It may reject the peer with ``pair.cleartext.abortConnection()``.
        on_insecure: Called with the ``CloseReason`` if the connection cannot be secured.
        transport_options: How :attr:`cleartext` delivers and sends.
        clock: Schedules the flushing of joined writes; needed only for ``Send.BUFFERED``.
        observer: Sees every step of the connection.

    Attributes:
        encrypted: The protocol that faces the wire.
        cleartext: The application's transport.

    A complete example: two pairs, connected by two lists.  With sockets, return ``encrypted``
    from a factory instead::

        >>> from twisted.internet.protocol import Protocol
        >>> class Wire:
        ...     '''Collects what one pair writes, for the other pair.'''
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
        ...     on_secure=lambda info: print("secure:", info.version),
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

    The example's ``certificates`` are those of :func:`tlsdemo.testing.temporary_certificates`.
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
        check_tls(tls)
        self._listener = _PairListener(application, on_secure, on_insecure)
        setup = StreamSetup(self._listener, transport_options, observer=observer)
        if clock is None and transport_options.send is Send.BUFFERED:
            raise ValueError("Send.BUFFERED needs a clock, by which joined writes are sent")
        self.cleartext: TLSStream = _PairStream(setup, clock)
        self.encrypted = _join(tls, self.cleartext, setup)

    def secured(self) -> Deferred[ConnectionInfo]:
        """Return a new Deferred; it fires with the :class:`ConnectionInfo`.

        It fires once the application has been connected, so that :attr:`cleartext` can be
        written to, and fails with :class:`Insecure` if the connection cannot be secured.
        """
        return self._listener.wait()


def secure(
    transport: Any, tls: TLS, setup: StreamSetup, clock: IReactorTime
) -> tuple[EncryptedSide, TLSStream]:
    """Connect the encrypted side of a pair to ``transport``."""
    stream = TLSStream(setup, clock)
    encrypted = _join(tls, stream, setup)
    stream.socket = transport
    replace_protocol(transport, encrypted)
    encrypted.makeConnection(transport)
    return encrypted, stream


def _join(tls: TLS, stream: TLSStream, setup: StreamSetup) -> EncryptedSide:
    """Make the encrypted side for ``stream``."""
    stream.make_connection = partial(tls.make, setup.observer)
    layer = TLSMemoryBIOProtocol(_factory(tls.is_client), stream)
    stream.receiver = encrypted = EncryptedSide(layer, setup.observer)
    return encrypted


class _Factory(TLSMemoryBIOFactory):
    """The factory of the TLS layers of many pairs; it does not keep them."""

    def registerProtocol(self, _protocol: object) -> None:  # noqa: N802
        """Do nothing."""

    def unregisterProtocol(self, _protocol: object) -> None:  # noqa: N802
        """Do nothing."""


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class _MadeByStream:
    """Has the stream above each layer make the layer's connection."""

    def serverConnectionForTLS(self, layer: Any) -> TLSConnection:
        stream: TLSStream = layer.wrappedProtocol
        make = stream.make_connection
        assert make is not None
        stream.make_connection = None
        return make()

    clientConnectionForTLS = serverConnectionForTLS


@lru_cache(maxsize=2)
def _factory(is_client: bool) -> _Factory:
    """Return the factory for all layers of one kind: to make one takes long."""
    return _Factory(_MadeByStream(), is_client, None)  # type: ignore[arg-type]


class _PairListener:
    """Calls the callbacks of a pair, and fires its Deferreds."""

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
        self._deferreds: list[Deferred[ConnectionInfo]] = []

    def wait(self) -> Deferred[ConnectionInfo]:
        waiting: Deferred[ConnectionInfo] = Deferred()
        self._deferreds.append(waiting)
        self._fire()
        return waiting

    def _fire(self) -> None:
        if self._outcome is None:
            return
        waiting, self._deferreds = self._deferreds, []
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
        """Do nothing: never called, as a pair is always TLS."""

    def insecure(self, close_reason: CloseReason) -> None:
        self._outcome = close_reason
        try:
            if self._on_insecure is not None:
                self._on_insecure(close_reason)
        finally:
            self._fire()

    def ended(self, close_reason: CloseReason) -> None:
        """Do nothing: the application's ``connectionLost`` is called."""


class _PairStream(TLSStream):
    """Fires the Deferreds of its pair once the application can write."""

    _listener: _PairListener

    def _connect(self, application: IProtocol) -> None:
        # If the connection ends within the call, the stream no longer has its listener.
        listener = self._listener
        try:
            super()._connect(application)
        finally:
            listener.connected()


class _Wire:
    """The transport below the layer: the wire's, with what that may lack.

    The layer goes through the interfaces of its transport one by one, and this has none.
    """

    __slots__ = ("_transport", "write")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.write = transport.write

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Such as __provides__: what the transport's interfaces are.
            raise AttributeError(name)
        return getattr(self._transport, name)

    def abortConnection(self) -> None:
        getattr(self._transport, "abortConnection", self._transport.loseConnection)()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Without flow control, the producer is never paused."""
        getattr(self._transport, "registerProducer", _do_nothing)(producer, streaming)

    def unregisterProducer(self) -> None:
        getattr(self._transport, "unregisterProducer", _do_nothing)()

    def getPeer(self) -> Any:
        return getattr(self._transport, "getPeer", _do_nothing)()

    def getHost(self) -> Any:
        return getattr(self._transport, "getHost", _do_nothing)()


def _do_nothing(*_arguments: object) -> None:
    """Stand in for a missing method."""
