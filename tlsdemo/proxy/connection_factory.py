"""Makes a session for each connection that a service accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory

from tlsdemo.net.addresses import address_text
from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.proxy.accepted_connection import AcceptedConnection, Accounting
from tlsdemo.proxy.handler import Handler, Owner
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.tls import Mode, ServerTLS, TransportOptions, WatchedTLS
from tlsdemo.tls.timeouts import NO_TIMEOUTS, Timeouts
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol
from tlsdemo.tls.watched import WatchedSession
from tlsdemo.trace.timeline import Event, Observer, Timeline


@dataclass(frozen=True)
class Setting:
    """How the connections of one service are secured, and what is done with their cleartext.

    ``make_negotiation`` makes the plain words before TLS, for each connection.
    ``max_buffer``: bytes kept in each direction of one.
    """

    mode: Mode
    tls: ServerTLS
    transport_options: TransportOptions
    make_handler: Callable[[Owner], Handler]
    make_negotiation: Callable[[], Negotiation] = ImmediateServer
    timeouts: Timeouts = NO_TIMEOUTS
    limiter: ConnectionLimiter = field(default_factory=ConnectionLimiter)
    max_buffer: int = MAX_BUFFER


class ConnectionFactory(ServerFactory):
    """A plain TCP factory, whose protocols are secured after the connection exists."""

    noisy = False

    def __init__(self, setting: Setting, accounting: Accounting, clock: IReactorTime) -> None:
        self._setting = setting
        self._accounting = accounting
        self._clock = clock
        self._served: dict[AcceptedConnection, None] = {}
        self._idle: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> UpgradeProtocol | None:
        """Make the session for the connection from ``addr``, or none if there are too many."""
        host = getattr(addr, "host", "")
        full = self._setting.limiter.full_for(host)
        if full is not None:
            self._accounting.turned_away(address_text(addr) if addr is not None else "?", full)
            return None
        number = self._accounting.statistics.opened + 1
        peer = address_text(addr) if addr is not None else "?"
        setting = self._setting
        observer = self._accounting.events.observer(number, peer)
        watch = self._accounting.watch(number, peer, self._clock.seconds)
        if watch is not None:
            observer = _both(observer, watch.observe)
        timeline = Timeline(self._clock.seconds, observer)
        served = AcceptedConnection(
            number, peer, self._accounting, setting.make_handler, timeline, self._forget
        )
        settled = (
            served,
            setting.transport_options,
            timeline,
            self._clock,
            setting.make_negotiation(),
            setting.timeouts,
            setting.max_buffer,
        )
        session: UpgradeProtocol
        if watch is None:
            session = UpgradeProtocol(setting.mode, setting.tls, *settled)
        else:
            tls = WatchedTLS(setting.tls, watch)
            session = WatchedSession(setting.mode, tls, *settled).watched_by(watch)
        setting.limiter.enter(host)
        served.host = host
        session.factory = self
        self._served[served] = None
        served.opened(session)
        return session

    def _forget(self, served: AcceptedConnection) -> None:
        del self._served[served]
        self._setting.limiter.leave(served.host)
        if not self._served:
            waiting, self._idle = self._idle, []
            for deferred in waiting:
                deferred.callback(None)

    def drain(self, seconds: float) -> Deferred[None]:
        """Close every connection in order, and after ``seconds`` those at once that are left.

        The Deferred fires when all are gone.
        """
        if seconds <= 0:
            return self.abort_all()
        idle = self._when_idle()
        for served in list(self._served):
            served.close()
        timeouts = self._clock.callLater(seconds, self.abort_all)

        def done(_: object) -> None:
            if timeouts.active():
                timeouts.cancel()

        return idle.addCallback(done)

    def abort_all(self) -> Deferred[None]:
        """Close every connection at once; the Deferred fires when all are gone."""
        idle = self._when_idle()
        for served in list(self._served):
            served.abort()
        return idle

    def _when_idle(self) -> Deferred[None]:
        idle: Deferred[None] = Deferred()
        if self._served:
            self._idle.append(idle)
        else:
            idle.callback(None)
        return idle


def _both(one: Observer | None, other: Observer) -> Observer:
    if one is None:
        return other

    def observe(event: Event) -> None:
        one(event)
        other(event)

    return observe
