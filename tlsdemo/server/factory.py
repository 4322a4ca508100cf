"""Makes a session for each connection that a service accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory

from tlsdemo.addresses import address_text
from tlsdemo.secure import Manner, Mode, ServerTLS, WatchedTLS
from tlsdemo.server.door import Door
from tlsdemo.server.role import Owner, Role
from tlsdemo.server.served import Books, Served
from tlsdemo.session.deadlines import FOREVER, Patience
from tlsdemo.session.session import Session
from tlsdemo.session.watched import WatchedSession
from tlsdemo.sockets import MAX_BUFFER
from tlsdemo.timeline import Event, Observer, Timeline
from tlsdemo.upgrade.dialogue import Dialogue
from tlsdemo.upgrade.immediate import ImmediateServer


@dataclass(frozen=True)
class Setting:
    """How the connections of one service are secured, and what is done with their cleartext.

    ``make_dialogue`` makes the plain words before TLS, for each connection.  ``max_buffer``: bytes
    kept in each direction of one.
    """

    mode: Mode
    tls: ServerTLS
    manner: Manner
    make_role: Callable[[Owner], Role]
    make_dialogue: Callable[[], Dialogue] = ImmediateServer
    patience: Patience = FOREVER
    door: Door = field(default_factory=Door)
    max_buffer: int = MAX_BUFFER


class SessionFactory(ServerFactory):
    """A plain TCP factory, whose protocols are secured after the connection exists."""

    noisy = False

    def __init__(self, setting: Setting, books: Books, clock: IReactorTime) -> None:
        self._setting = setting
        self._books = books
        self._clock = clock
        self._served: dict[Served, None] = {}
        self._idle: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> Session | None:
        """Make the session for the connection from ``addr``, or none if there are too many."""
        host = getattr(addr, "host", "")
        full = self._setting.door.full_for(host)
        if full is not None:
            self._books.turned_away(address_text(addr) if addr is not None else "?", full)
            return None
        number = self._books.statistics.opened + 1
        peer = address_text(addr) if addr is not None else "?"
        setting = self._setting
        observer = self._books.events.observer(number, peer)
        watch = self._books.watch(number, peer, self._clock.seconds)
        if watch is not None:
            observer = _both(observer, watch.observe)
        timeline = Timeline(self._clock.seconds, observer)
        served = Served(number, peer, self._books, setting.make_role, timeline, self._forget)
        settled = (
            served,
            setting.manner,
            timeline,
            self._clock,
            setting.make_dialogue(),
            setting.patience,
            setting.max_buffer,
        )
        session: Session
        if watch is None:
            session = Session(setting.mode, setting.tls, *settled)
        else:
            tls = WatchedTLS(setting.tls, watch)
            session = WatchedSession(setting.mode, tls, *settled).watched_by(watch)
        setting.door.enter(host)
        served.host = host
        session.factory = self
        self._served[served] = None
        served.opened(session)
        return session

    def _forget(self, served: Served) -> None:
        del self._served[served]
        self._setting.door.leave(served.host)
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
        patience = self._clock.callLater(seconds, self.abort_all)

        def done(_: object) -> None:
            if patience.active():
                patience.cancel()

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
