"""Puts a pinned protocol through a situation on sockets of the loopback interface.

Between both ends is the laboratory's relay.  What happens in which order at the two ends depends on
timing, so no times are recorded, and pins compare each end by itself.
"""

from __future__ import annotations

import ssl
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tlsdemo.lab.relay import Relay
from tlsdemo.testing.pins.memory_observation import situation_for
from tlsdemo.testing.pins.recording import Recording
from tlsdemo.testing.pins.scripted_peer import Ending, ScriptedPeer
from tlsdemo.testing.pins.situations import Situation
from tlsdemo.testing.pins.subject import Subject
from tlsdemo.testing.pins.watching import watch
from tlsdemo.trace.model import End, Trace

PATIENCE = 1.0
"""Seconds without any event after which a connection is said to be still open."""

_ITERATIONS = 100
"""How many iterations of the reactor both ends have for noticing that they were disconnected."""

QUIET = 0.02
"""Seconds without data after which the peer does the next thing of its own accord."""


async def observe_on_loopback(
    reactor: Any, subject: Subject, scenario: str, patience: float = PATIENCE
) -> Trace:
    """Make one connection, and return all that was seen of it.

    ``patience``: seconds without any event after which the connection is given up.

    Raises:
        ValueError: If there is no such scenario, or if this subject cannot be put through it.
    """
    situation = situation_for(subject, scenario)
    if situation.reads_slowly:
        raise ValueError(f"{scenario!r} is only possible in memory: sockets have buffers")
    factory = subject.make_factory()
    connection = _Connection(reactor, subject, situation, factory, patience)
    trace = await connection.run()
    if situation.scenario.resumes:
        context, session = connection.peer.context, connection.peer.session
        again = _Connection(reactor, subject, situation, factory, patience, context, session)
        trace = await again.run()
    return trace


class _Connection:
    """One connection: the pinned end, the relay, and the peer."""

    def __init__(
        self,
        reactor: Any,
        subject: Subject,
        situation: Situation,
        factory: Any,
        patience: float,
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._reactor = reactor
        self._subject = subject
        self._situation = situation
        self.patience = patience
        self.record = Recording(subject, situation)
        self.peer = ScriptedPeer(subject, situation, self.record.peer, context, session)
        self._factory = _Watched(factory, self)
        self._over: Deferred[None] = Deferred()
        self._left = set(End)
        self._connected: set[End] = set()
        self._timer: IDelayedCall | None = None
        self._ports: list[Any] = []

    async def run(self) -> Trace:
        """Make the connection, until it has ended or nothing more happens."""
        peer = Factory.forProtocol(lambda: _PeerProtocol(self, self._reactor))
        factories: dict[End, Any] = {self._subject.end: self._factory, self._subject.peer: peer}
        port = self._listen(factories[End.SERVER])
        relay = Relay(
            self._reactor, port, lambda: 0.0, self._see, self._situation.fault_of_wire,
            self._situation.scenario.one_segment, self._subject.shown,
        )  # fmt: skip
        endpoint = TCP4ClientEndpoint(self._reactor, "127.0.0.1", self._listen(relay))
        self.moved()
        endpoint.connect(factories[End.CLIENT])
        await self._over
        self.record.ended = True
        if not relay.over.called:
            relay.reset()
            await relay.over
        # A protocol that handed its transport to another one is never told.
        for _ in range(_ITERATIONS):
            if self._connected:
                await deferLater(self._reactor, 0)
        for each in self._ports:
            await each.stopListening()
        return self.record.trace

    def told(self, name: str, **facts: Any) -> None:
        """Something has been told to the pinned protocol."""
        self.record.pinned(name, **facts)
        self.moved()
        if name == "connectionMade":
            self.made(self._subject.end)
        elif name == "connectionLost":
            self.lost(self._subject.end)

    def made(self, end: End) -> None:
        """An end is connected."""
        self._connected.add(end)

    def lost(self, end: End) -> None:
        """An end has lost its connection."""
        self._left.discard(end)
        self._connected.discard(end)
        if not self._left:
            # Not before the rest of this iteration, as what a method raises comes after it.
            self._reactor.callLater(0, self._finish)

    def moved(self) -> None:
        """Something has happened, so wait longer."""
        if self._timer is not None and self._timer.active():
            self._timer.reset(self.patience)
        elif not self._over.called:
            self._timer = self._reactor.callLater(self.patience, self._give_up)

    def _see(self, arrow: Any) -> None:
        self.record.arrow(arrow)
        self.moved()

    def _give_up(self) -> None:
        if self._subject.end in self._left:
            self.record.pinned("still open")
        self._finish()

    def _finish(self) -> None:
        if not self._over.called:
            assert self._timer is not None
            if self._timer.active():
                self._timer.cancel()
            self._over.callback(None)

    def _listen(self, factory: Any) -> int:
        port = self._reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._ports.append(port)
        return int(port.getHost().port)


class _Watched(Factory):
    """Builds the pinned protocol, which is then watched."""

    noisy = False

    def __init__(self, factory: Any, connection: _Connection) -> None:
        self._factory = factory
        self._connection = connection

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol = self._factory.buildProtocol(addr)
        if protocol is not None:
            watch(protocol, self._connection.told, self._connection.record.subject.shown)
        return protocol


class _PeerProtocol(Protocol):
    """The peer on a socket."""

    def __init__(self, connection: _Connection, reactor: Any) -> None:
        self._connection = connection
        self._reactor = reactor
        self._peer = connection.peer
        self._next: IDelayedCall | None = None
        self._waited = 0.0

    def connectionMade(self) -> None:
        self._connection.made(self._connection.record.subject.peer)
        self._peer.start()
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        self._connection.moved()
        self._waited = 0.0
        self._peer.deliver(data)
        self._flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._cancel()
        assert reason.value is not None
        self._peer.lose(reason.value)
        self._connection.lost(self._connection.record.subject.peer)

    def _proceed(self) -> None:
        self._waited += QUIET
        self._peer.proceed(idle=self._waited > self._connection.patience / 2)
        self._flush()

    def _cancel(self) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()

    def _flush(self) -> None:
        transport: Any = self.transport
        if data := self._peer.take():
            transport.write(data)
        self._peer.turn()
        if self._peer.ending is Ending.FIN:
            transport.loseConnection()
        elif self._peer.ending is Ending.RESET:
            transport.abortConnection()
        else:
            self._cancel()
            self._next = self._reactor.callLater(QUIET, self._proceed)
