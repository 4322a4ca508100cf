"""Endpoints that negotiate and secure their connections, for any factory of Twisted's.

Theory of operation.  Each wraps another endpoint.  The connections that it makes or accepts begin
with an :class:`UpgradeProtocol`; the factory's protocol is connected when one is secure.  Its
transport is a :class:`Stream`, and nothing in it has to know of TLS.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.protocols.policies import WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.addresses import address_text
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.connection_settings import ConnectionSettings
from tlsdemo.tls.connection_upgrade import UpgradeListener
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol

_log = PrintableLogger()
_CANCELLED = CloseReason(Cause.ABORTED, "connecting was cancelled")


@implementer(IStreamServerEndpoint)
class UpgradeServerEndpoint:
    """Listens at ``endpoint``, and secures what it accepts as ``settings`` say.

    A connection that cannot be secured is logged, with its reason; the factory's protocol is never
    connected then.  ``clock`` schedules the timeouts.
    """

    def __init__(
        self, endpoint: IStreamServerEndpoint, settings: ConnectionSettings, clock: IReactorTime
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._clock = clock

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:  # noqa: N803
        """Listen; see `IStreamServerEndpoint`."""
        factory = _UpgradeFactory(protocolFactory, self._settings, self._clock, _accepted)
        listening: Deferred[IListeningPort] = self._endpoint.listen(factory)
        return listening


@implementer(IStreamClientEndpoint)
class UpgradeClientEndpoint:
    """Connects through ``endpoint``, and secures the connection as ``settings`` say.

    ``clock`` schedules the timeouts.
    """

    def __init__(
        self, endpoint: IStreamClientEndpoint, settings: ConnectionSettings, clock: IReactorTime
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._clock = clock

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Connect; fires with the factory's protocol when the connection is secure.

        Fails with what ``endpoint`` fails with, or with
        :class:`~tlsdemo.tls.Insecure`.
        """
        attempt = _Attempt()
        factory = _UpgradeFactory(protocolFactory, self._settings, self._clock, attempt.listener)
        attempt.connecting = self._endpoint.connect(factory)
        attempt.connecting.addCallbacks(attempt.connected, attempt.result.errback)
        return attempt.result


class _UpgradeFactory(WrappingFactory):
    """Makes an upgrade protocol for each protocol of the wrapped factory."""

    noisy = False

    def __init__(
        self, factory: Any, settings: ConnectionSettings, clock: IReactorTime, listener: Any
    ) -> None:
        super().__init__(factory)
        self._settings = settings
        self._clock = clock
        self._listener = listener

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the protocol for a connection, unless the wrapped factory refuses it."""
        application = self.wrappedFactory.buildProtocol(addr)
        if application is None:
            return None
        listener = self._listener(application, addr)
        protocol = UpgradeProtocol(self._settings, listener, self._clock)
        protocol.factory = self
        return protocol


def _accepted(application: IProtocol, address: IAddress | None) -> UpgradeListener:
    result: Deferred[ConnectionInfo] = Deferred()
    result.addErrback(_log_failure, address)
    return UpgradeListener(application, result)


def _log_failure(failure: Failure, address: IAddress | None) -> None:
    peer = "?" if address is None else address_text(address)
    _log.info("not secured: {peer}: {reason}", peer=peer, reason=failure.value)


class _Attempt:
    """One connection of a client, from the call of ``connect`` until it is secure.

    After that it refers to nothing of the connection: it forms a reference cycle with ``result``.
    """

    connecting: Deferred[Any]
    protocol: UpgradeProtocol | None = None
    over = False

    def __init__(self) -> None:
        self.result: Deferred[IProtocol] = Deferred(self._cancel)

    def listener(self, application: IProtocol, _address: IAddress | None) -> UpgradeListener:
        upgraded: Deferred[ConnectionInfo] = Deferred()
        upgraded.addCallbacks(lambda _info: self._succeeded(application), self._failed)
        return UpgradeListener(application, upgraded)

    def connected(self, protocol: Any) -> None:
        if not self.over:
            self.protocol = protocol

    def _succeeded(self, application: IProtocol) -> None:
        self._end().callback(application)

    def _failed(self, failure: Failure) -> None:
        result = self._end()
        if not result.called:  # It has been cancelled, otherwise.
            result.errback(failure)

    def _end(self) -> Deferred[IProtocol]:
        self.over, self.protocol = True, None
        return self.result

    def _cancel(self, _result: object) -> None:
        if self.protocol is None:
            self.connecting.cancel()
        else:
            self.protocol.abort(_CANCELLED)
