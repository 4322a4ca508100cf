"""Securing a connection in mid-stream, in one call, and a mixin for line protocols.

Theory of operation.  ``upgrade`` puts a TLS layer between a transport and its protocol, in one of
the modes, and gives the application a :class:`Stream`.  The application may be the protocol whose
``transport`` that was: it stays connected, is not told ``connectionMade`` again, and its
``transport`` is the stream from then on, which refuses to write before the connection is secure.
Or it is another protocol, which is connected when the connection is secure; the protocol that the
transport had before is not called any more.

The guard.  What arrived in plaintext behind the request for TLS must not be taken for something
that was received through TLS (CVE-2011-0411).  A caller passes that on as ``leftover``.  A server
accepts only the beginning of a TLS handshake there, which then goes to TLS; a client accepts
nothing, as no server speaks before the ClientHello.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IReactorTime, ITLSTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides, providedBy

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.sockets import MAX_BUFFER, bound_buffers, without_delay
from tlsdemo.starttls.negotiation import HANDSHAKE
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.contexts import TLS, check_tls
from tlsdemo.tls.error_reasons import Insecure
from tlsdemo.tls.modes import MODES, ModeName
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.protocol_switch import protocol_attribute
from tlsdemo.tls.stream import StreamSetup
from tlsdemo.tls.timeouts import ConnectionPhase, PhaseTimer, Timeouts
from tlsdemo.tls.transport_options import TransportOptions

UPGRADE_TIMEOUTS = Timeouts(plain=0, handshake=30, idle=0, closing=10)
"""Seconds for the handshake and for closing; an idle connection is the application's matter."""


def upgrade(
    transport: Any,
    tls: TLS,
    application: IProtocol,
    *,
    leftover: bytes = b"",
    mode: ModeName | str = ModeName.PAIR,
    timeouts: Timeouts = UPGRADE_TIMEOUTS,
    transport_options: TransportOptions | None = None,
    max_buffer: int = MAX_BUFFER,
    clock: IReactorTime | None = None,
    observer: Observer | None = None,
) -> Deferred[ConnectionInfo]:
    """Secure the connection of ``transport`` now: TLS follows on the wire in both directions.

    Call it when both ends have agreed on that: a server after it has written its consent (such as
    ``220 Ready to start TLS``), a client when it has received that.

    Args:
        transport: What the connected protocol has as its ``transport``; a socket's with
            ``starttls``, any that delivers to its attribute ``protocol`` or ``wrappedProtocol``
            with ``pair``.
        tls: The TLS settings of this end: a ``ServerTLS`` or a ``ClientTLS``.
        application: Receives the cleartext.  The protocol whose ``transport`` this is, or
            another one, whose ``makeConnection`` is called when the connection is secure.
        leftover: What has arrived behind the request or the consent and was not looked at; of a
            ``LineReceiver``, what ``clearLineBuffer()`` returns.  Never drop it, and never read
            it as lines.
        mode: ``pair`` feeds a ``TLSMemoryBIOProtocol`` by hand and delivers once a read of the
            socket; ``starttls`` calls ``transport.startTLS`` and delivers once a record.
        timeouts: Seconds that the phases may last; ``plain`` is not used.
        transport_options: How cleartext is delivered and sent, if not as is usual for the mode.
        max_buffer: Bytes that are buffered at most in each direction.
        clock: Schedules the timeouts; the transport's ``reactor`` unless given.
        observer: Sees every step.

    Returns:
        A Deferred.  It fires with the :class:`ConnectionInfo` when the peer is verified and the
        application can write, and fails with :class:`Insecure`, which has the reason, if that
        does not come about; the connection is closed then.  To cancel it closes the connection.
        An application that was connected before is told ``connectionLost`` in the end, in any
        case; another one only if it has been connected.

    Raises:
        ValueError: If the mode is none in which a connection can be upgraded.
        TypeError: If ``tls`` is something else, or if the transport does not say which protocol
            it delivers to, has no ``startTLS`` and the mode needs it, or has no reactor and no
            clock is given.
    """
    check_tls(tls)
    chosen = MODES[ModeName(mode)]
    if not chosen.allows_negotiation:
        raise ValueError(f"mode is {chosen.name.value!r}, which cannot begin in mid-stream")
    if chosen.needs_socket and not ITLSTransport.providedBy(transport):
        raise TypeError(f"mode is 'starttls', and {transport!r} has no startTLS; use 'pair'")
    protocol_attribute(transport)
    clock = clock or _clock_of(transport)
    if leftover and (tls.is_client or not leftover.startswith(HANDSHAKE)):
        return _refused(transport, len(leftover))
    without_delay(transport)
    bound_buffers(transport, max_buffer)
    options = transport_options or chosen.transport_options(None, None, max_buffer // 2)
    result: Deferred[ConnectionInfo] = Deferred(lambda _: stream.abort(_CANCELLED))
    stays = getattr(application, "transport", None) is transport
    timer = PhaseTimer(clock, timeouts)
    listener = UpgradeListener(application, result, stays)
    setup = StreamSetup(listener, options, timer, observer, upgraded=True)
    timer.enter(ConnectionPhase.HANDSHAKE)
    try:
        wire, stream = chosen.secure(transport, tls, setup, clock)
    except BaseException:
        timer.enter(ConnectionPhase.OVER)
        raise
    if stays:
        application.transport = stream  # type: ignore[attr-defined]
    if leftover:
        wire.dataReceived(leftover)
    return result


def _clock_of(transport: Any) -> Any:
    clock = getattr(transport, "reactor", None)
    if clock is None:
        raise TypeError(f"{transport!r} has no reactor; hand in a clock")
    return clock


class UpgradeMixin:
    """For a protocol with ``clearLineBuffer``, such as a ``LineReceiver``: upgrades itself.

    Put it before the line protocol among the base classes.  Attributes of the class or of the
    object are the arguments of :func:`upgrade`: ``upgrade_mode``, ``upgrade_timeouts``.

    Attributes:
        connection_info: What was negotiated; ``None`` while the connection is not secure.
    """

    transport: Any
    upgrade_mode: ModeName | str = ModeName.PAIR
    upgrade_timeouts = UPGRADE_TIMEOUTS
    connection_info: ConnectionInfo | None = None
    _begun = False

    def start_tls(
        self, tls: TLS, clock: IReactorTime | None = None, observer: Observer | None = None
    ) -> Deferred[ConnectionInfo]:
        """Secure this protocol's connection, as :func:`upgrade` does.

        ``connectionMade`` is not called again.  Forget here what the peer has said in plaintext,
        as the RFCs demand (RFC 3207, section 4.2): who it is, and which capabilities it has.

        Raises:
            RuntimeError: If it was called before: a second request for TLS has to be refused.
            TypeError: If the protocol has no ``clearLineBuffer``.  A ``LineOnlyReceiver`` cannot
                be upgraded: it would go on with lines that arrived in plaintext.
        """
        if self._begun:
            raise RuntimeError("TLS has begun on this connection before; refuse the request")
        clear = getattr(self, "clearLineBuffer", None)
        if clear is None:
            raise TypeError(f"{type(self).__name__} has no clearLineBuffer; use a LineReceiver")
        self._begun = True
        result = upgrade(
            self.transport,
            tls,
            self,  # type: ignore[arg-type]
            leftover=clear(),
            mode=self.upgrade_mode,
            timeouts=self.upgrade_timeouts,
            clock=clock,
            observer=observer,
        )
        return result.addCallback(self._keep)

    def _keep(self, info: ConnectionInfo) -> ConnectionInfo:
        self.connection_info = info
        return info


_CANCELLED = CloseReason(Cause.ABORTED, "the upgrade was cancelled")


def _refused(transport: Any, count: int) -> Deferred[ConnectionInfo]:
    # The protocol stays as it is, and the transport tells it of the end.
    getattr(transport, "abortConnection", transport.loseConnection)()
    detail = f"{count} bytes arrived after the last message before TLS"
    result: Deferred[ConnectionInfo] = Deferred()
    result.errback(Insecure(CloseReason(Cause.INJECTED_PLAINTEXT, detail)))
    return result


class UpgradeListener:
    """Connects ``application``, unless it ``stays`` connected, and fires ``result``."""

    def __init__(
        self, application: IProtocol, result: Deferred[ConnectionInfo], stays: bool = False
    ) -> None:
        self._application = application
        self._result = result
        self._stays = stays

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Return the application; it is connected now."""
        connected = _Connected(self._application, self._stays, self._result, info)
        return cast(IProtocol, connected)

    def plain(self) -> None:
        """Do nothing: never called, as these modes encrypt."""

    def insecure(self, close_reason: CloseReason) -> None:
        """Fail, and tell an application that was connected before."""
        problem = Failure(Insecure(close_reason))
        try:
            if self._stays:
                self._application.connectionLost(problem)
        finally:
            if not self._result.called:  # It has been cancelled, otherwise.
                self._result.errback(problem)

    def ended(self, close_reason: CloseReason) -> None:
        """Do nothing: the application's ``connectionLost`` is called."""


class _Connected:
    """The application, but for how it is connected; it provides what the application does."""

    def __init__(
        self,
        application: IProtocol,
        stays: bool,
        result: Deferred[ConnectionInfo],
        info: ConnectionInfo,
    ) -> None:
        self._application = application
        self._stays = stays
        self._result = result
        self._info = info
        directlyProvides(self, providedBy(application))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)

    def makeConnection(self, transport: Any) -> None:
        """Connect an application that was not; then it can write, and the caller may know."""
        try:
            if not self._stays:
                self._application.makeConnection(transport)
        finally:
            self._result.callback(self._info)
