"""The factory of the connections that a service accepts."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, ILoggingContext, IReactorTime
from twisted.internet.protocol import ServerFactory
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.addresses import address_text
from tlsdemo.proxy.accepted_connection import AcceptedConnection
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.handler import MakeHandler
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.proxy.open_connections import OpenConnections
from tlsdemo.tls import ConnectionSettings, UpgradeProtocol


@implementer(ILoggingContext)
class ConnectionFactory(ServerFactory):
    """Makes upgrade protocols, limits their number, and closes them when the service stops.

    ``settings`` say how connections are secured; ``make_handler`` makes the handler of each.
    ``name`` is what Twisted's log calls it.
    """

    noisy = False

    def __init__(
        self,
        settings: ConnectionSettings,
        make_handler: MakeHandler,
        accounting: Accounting,
        clock: IReactorTime,
        limiter: ConnectionLimiter | None = None,
        name: str = "the server",
    ) -> None:
        self._name = name
        self._settings = settings
        self._make_handler = make_handler
        self._accounting = accounting
        self._clock = clock
        self._limiter = ConnectionLimiter() if limiter is None else limiter
        self._open: OpenConnections[AcceptedConnection] = OpenConnections()

    def logPrefix(self) -> str:
        """Return the name that Twisted logs when a port is opened or closed."""
        return self._name

    def buildProtocol(self, addr: IAddress | None) -> UpgradeProtocol | None:
        """Make the protocol for a connection from ``addr``, or none if there are too many."""
        host = getattr(addr, "host", "")
        peer = address_text(addr) if addr is not None else "?"
        problem = self._limiter.problem(host)
        if problem is not None:
            self._accounting.rejected(peer, CloseReason(Cause.TOO_MANY, problem))
            return None
        number = self._accounting.next_number()
        accepted = AcceptedConnection(
            number, peer, self._accounting, self._make_handler, self._forget
        )
        observer = self._accounting.observer(number, peer, self._clock.seconds)
        protocol = UpgradeProtocol(self._settings, accepted, self._clock, observer)
        protocol.factory = self
        self._limiter.add(host)
        accepted.host = host
        self._open.add(accepted)
        accepted.opened(protocol)
        return protocol

    def _forget(self, accepted: AcceptedConnection) -> None:
        self._limiter.remove(accepted.host)
        self._open.remove(accepted)

    def drain(self, seconds: float) -> Deferred[None]:
        """Close every connection in order, and abort those that are open after ``seconds``.

        The Deferred fires when all have ended.
        """
        if seconds <= 0:
            return self.abort_all()
        idle = self._open.when_none()
        for accepted in self._open:
            accepted.close()
        abort = self._clock.callLater(seconds, self.abort_all)

        def done(_: object) -> None:
            if abort.active():
                abort.cancel()

        return idle.addCallback(done)

    def abort_all(self) -> Deferred[None]:
        """Close every connection at once; the Deferred fires when all have ended."""
        idle = self._open.when_none()
        for accepted in self._open:
            accepted.abort()
        return idle
