"""A relay between client and server: it sees every record, and does to it what a fault demands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from tlsdemo.lab.scenarios import Act, Fault
from tlsdemo.trace.model import Arrow, End, Fate
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.record_reader import RecordReader

MOMENT = 0.02
"""Seconds of silence after which what one end has sent is passed on in one segment, if asked for.

How long it really was depends on how busy the machine is, so some turns of the reactor have to
be silent as well: in those, an end of this process says what it had to say.
"""

_TURNS = 5


class _Wire(Protocol):
    """The relay's side of the wire to one end."""

    def __init__(self, relay: Relay, end: End) -> None:
        self._relay = relay
        self.end = end

    def connectionMade(self) -> None:
        self._relay.connected(self)

    def dataReceived(self, data: bytes) -> None:
        self._relay.received(self.end, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._relay.lost(self.end, reason)


class Relay(Factory):
    """Accepts one connection, opens one to ``port`` of the loopback interface, and passes on.

    ``told`` is called for each record with an arrow, ``clock`` gives the seconds for it.
    ``over`` fires when both wires have ended.
    ``at_silence`` is called when an end is ignored from then on.
    """

    noisy = False

    def __init__(
        self,
        reactor: Any,
        port: int,
        clock: Callable[[], float],
        told: Callable[[Arrow], object],
        fault: Fault | None = None,
        together: bool = False,
    ) -> None:
        self._reactor = reactor
        self._port = port
        self._clock = clock
        self._told = told
        self._fault = fault
        self._together = together
        self._readers = {end: RecordReader() for end in End}
        self._wires: dict[End, _Wire] = {}
        self._early: list[bytes] = []
        self._held: dict[End, list[bytes]] = {end: [] for end in End}
        self._releases: dict[End, IDelayedCall] = {}
        self._ended: dict[End, bool] = {}
        self._deaf_to: set[End] = set()
        self.at_silence: Callable[[End], object] = lambda end: None
        self.over: Deferred[None] = Deferred()

    def buildProtocol(self, addr: IAddress | None) -> _Wire | None:
        """Take the one connection."""
        return None if self._wires else _Wire(self, End.CLIENT)

    # What the wires tell.

    def connected(self, wire: _Wire) -> None:
        """A wire is there; the client's comes first."""
        self._wires[wire.end] = wire
        wire.transport.setTcpNoDelay(True)  # type: ignore[union-attr]
        if wire.end is End.CLIENT:
            server = Factory.forProtocol(lambda: _Wire(self, End.SERVER))
            server.noisy = False
            endpoint = TCP4ClientEndpoint(self._reactor, "127.0.0.1", self._port)
            endpoint.connect(server).addErrback(lambda reason: self.lost(End.SERVER, reason))
        else:
            early, self._early = self._early, []
            for data in early:
                self.received(End.CLIENT, data)
            if End.CLIENT in self._ended:
                # It has not waited until the server was there.
                self._end(wire, abruptly=self._ended[End.CLIENT])

    def received(self, sender: End, data: bytes) -> None:
        """``sender`` has sent ``data``."""
        if End.SERVER not in self._wires:
            self._early.append(data)
            return
        records = self._readers[sender].feed(data)
        met = self._fault is not None and any(self._fault.meets(sender, each) for each in records)
        if met and self._fault is not None:
            fault, self._fault = self._fault, None
            self._go_wrong(fault, sender, data, records)
        else:
            dropped = sender in self._deaf_to
            self._tell(sender, records, Fate.DROPPED if dropped else Fate.PASSED)
            if not dropped:
                self._pass(sender, data)

    def _go_wrong(self, fault: Fault, sender: End, data: bytes, records: list[Record]) -> None:
        passes = fault.act is Act.APPEND
        self._tell(sender, records, Fate.PASSED if passes else Fate.DROPPED)
        if fault.data:
            kind = Kind.PLAIN if passes else Kind.UNREADABLE
            words = fault.data.decode("ascii").strip().partition("\r")[0]
            self._tell(sender, [Record(kind, len(fault.data), "", (words,))], Fate.INJECTED)
            self._pass(sender, data + fault.data if passes else fault.data)
        elif fault.act is Act.SILENCE:
            self.ignore(*End)
        else:
            self.cut()

    def _tell(self, sender: End, records: list[Record], fate: Fate) -> None:
        at = self._clock()
        for record in records:
            self._told(Arrow(sender, at, record, fate))

    def _pass(self, sender: End, data: bytes) -> None:
        if not self._together:
            self._send(sender, data)
            return
        self._held[sender].append(data)
        self._still(sender)
        self._releases[sender] = self._reactor.callLater(MOMENT, self._turn, sender, _TURNS)

    def _turn(self, sender: End, left: int) -> None:
        if left:
            self._releases[sender] = self._reactor.callLater(0, self._turn, sender, left - 1)
        else:
            self._release(sender)

    def _still(self, sender: End) -> None:
        """Put off what was to be passed on."""
        release = self._releases.pop(sender, None)
        if release is not None and release.active():
            release.cancel()

    def _release(self, sender: End) -> None:
        self._still(sender)
        held, self._held[sender] = self._held[sender], []
        if held:
            self._send(sender, b"".join(held))

    def _send(self, sender: End, data: bytes) -> None:
        transport: Any = self._wires[sender.other].transport
        transport.write(data)

    def lost(self, end: End, reason: Failure) -> None:
        """The wire to ``end`` has ended; the other end is told in the same way."""
        abruptly = not reason.check(ConnectionDone)
        self._ended[end] = abruptly
        other = self._wires.get(end.other)
        if len(self._ended) == len(End):
            for each in End:
                self._still(each)
            self.over.callback(None)
        elif other is not None and end not in self._deaf_to:
            self._release(end)
            self._end(other, abruptly)

    def _end(self, wire: _Wire, abruptly: bool) -> None:
        transport: Any = wire.transport
        if abruptly:
            transport.abortConnection()
        else:
            transport.loseConnection()

    # What a script orders.

    def ignore(self, *ends: End) -> None:
        """Pass on nothing any more that these send, not even their end."""
        for end in ends:
            self._deaf_to.add(end)
            self.at_silence(end)

    def cut(self) -> None:
        """End both wires in order: TCP's FIN, and no close_notify."""
        for wire in self._wires.values():
            self._end(wire, abruptly=False)

    def reset(self) -> None:
        """End both wires with a RST."""
        for wire in self._wires.values():
            self._end(wire, abruptly=True)
