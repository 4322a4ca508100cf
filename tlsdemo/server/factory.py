"""Makes a session for each connection that a service accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory

from tlsdemo.addresses import address_text
from tlsdemo.secure import Manner, Mode, ServerTLS, Session
from tlsdemo.server.role import Owner, Role
from tlsdemo.server.served import Books, Served
from tlsdemo.timeline import Timeline


@dataclass(frozen=True)
class Setting:
    """How the connections of one service are secured, and what is done with their cleartext."""

    mode: Mode
    tls: ServerTLS
    manner: Manner
    make_role: Callable[[Owner], Role]


class SessionFactory(ServerFactory):
    """A plain TCP factory, whose protocols are secured after the connection exists."""

    noisy = False

    def __init__(self, setting: Setting, books: Books, clock: IReactorTime) -> None:
        self._setting = setting
        self._books = books
        self._clock = clock
        self._served: dict[Served, None] = {}
        self._idle: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> Session:
        """Make the session for the connection from ``addr``."""
        number = self._books.statistics.opened + 1
        peer = address_text(addr) if addr is not None else "?"
        timeline = Timeline(self._clock.seconds, self._books.events.observer(number, peer))
        served = Served(number, peer, self._books, self._setting.make_role, timeline, self._forget)
        setting = self._setting
        session = Session(setting.mode, setting.tls, served, setting.manner, timeline, self._clock)
        session.factory = self
        self._served[served] = None
        served.opened(session)
        return session

    def _forget(self, served: Served) -> None:
        del self._served[served]
        if not self._served:
            waiting, self._idle = self._idle, []
            for deferred in waiting:
                deferred.callback(None)

    def abort_all(self) -> Deferred[None]:
        """Close every connection at once; the Deferred fires when all are gone."""
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        for served in list(self._served):
            served.abort()
        if not self._served:
            self._idle.remove(idle)
            idle.callback(None)
        return idle
