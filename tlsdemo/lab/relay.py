"""A TCP relay between client and server, which reads the records and injects faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from tlsdemo.lab.scenarios import Fault, FaultAction
from tlsdemo.trace.model import Arrow, End, Fate
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.record_reader import RecordReader

QUIET = 0.02
"""Seconds without data from an end after which the held data is forwarded in one segment.

On a busy machine the time may pass before an end in this process has run.  So several iterations
of the reactor have to pass without data as well.
"""

_QUIET_ITERATIONS = 5


class _Wire(Protocol):
    """The relay's side of the connection to one end."""

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
    """Accepts one connection, connects to ``port`` on the loopback interface, and relays the data.

    Args:
        reactor: Connects, and schedules.
        port: The port of the server.
        clock: Returns the time to record, in seconds.
        on_record: Called with an arrow for each record.
        fault: What goes wrong.
        one_segment: Whether to join what an end sends at about the same time.
        shown: Returns what may be shown of plaintext.

    Attributes:
        over: Fires when both connections have ended.
        on_ignored: Called with an end when its data is dropped from then on.
    """

    noisy = False

    def __init__(
        self,
        reactor: Any,
        port: int,
        clock: Callable[[], float],
        on_record: Callable[[Arrow], object],
        fault: Fault | None = None,
        one_segment: bool = False,
        shown: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._reactor = reactor
        self._port = port
        self._clock = clock
        self._on_record = on_record
        self._fault = fault
        self._one_segment = one_segment
        self._readers = {end: RecordReader(shown) for end in End}
        self._wires: dict[End, _Wire] = {}
        self._early: list[bytes] = []
        self._held: dict[End, list[bytes]] = {end: [] for end in End}
        self._releases: dict[End, IDelayedCall] = {}
        self._ended: dict[End, bool] = {}
        self._ignored: set[End] = set()
        self.on_ignored: Callable[[End], object] = lambda end: None
        self.over: Deferred[None] = Deferred()

    def buildProtocol(self, addr: IAddress | None) -> _Wire | None:
        """Accept the first connection only."""
        return None if self._wires else _Wire(self, End.CLIENT)

    # Events of the two connections.

    def connected(self, wire: _Wire) -> None:
        """The connection to an end is established; the client's is the first."""
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
                # The client has already closed its connection.
                self._pass_on(wire, abruptly=self._ended[End.CLIENT])

    def received(self, sender: End, data: bytes) -> None:
        """Relay the ``data`` of ``sender``, unless a fault is triggered."""
        if End.SERVER not in self._wires:
            self._early.append(data)
            return
        records = self._readers[sender].feed(data)
        met = self._fault is not None and any(self._fault.matches(sender, each) for each in records)
        if met and self._fault is not None:
            fault, self._fault = self._fault, None
            self._trigger(fault, sender, data, records)
        else:
            dropped = sender in self._ignored
            self._report(sender, records, Fate.DROPPED if dropped else Fate.PASSED)
            if not dropped:
                self._forward(sender, data)

    def _trigger(self, fault: Fault, sender: End, data: bytes, records: list[Record]) -> None:
        passes = fault.action is FaultAction.APPEND
        self._report(sender, records, Fate.PASSED if passes else Fate.DROPPED)
        if fault.data:
            kind = Kind.PLAIN if passes else Kind.UNREADABLE
            words = fault.data.decode("ascii").strip().partition("\r")[0]
            self._report(sender, [Record(kind, len(fault.data), "", (words,))], Fate.INJECTED)
            self._forward(sender, data + fault.data if passes else fault.data)
        elif fault.action is FaultAction.SILENCE:
            self.ignore(*End)
        else:
            self.cut()

    def _report(self, sender: End, records: list[Record], fate: Fate) -> None:
        at = self._clock()
        for record in records:
            self._on_record(Arrow(sender, at, record, fate))

    def _forward(self, sender: End, data: bytes) -> None:
        if not self._one_segment:
            self._send(sender, data)
            return
        self._held[sender].append(data)
        self._cancel_release(sender)
        self._releases[sender] = self._reactor.callLater(
            QUIET, self._wait_quiet, sender, _QUIET_ITERATIONS
        )

    def _wait_quiet(self, sender: End, left: int) -> None:
        if left:
            self._releases[sender] = self._reactor.callLater(0, self._wait_quiet, sender, left - 1)
        else:
            self._release(sender)

    def _cancel_release(self, sender: End) -> None:
        """Cancel the timer for the data held from ``sender``."""
        release = self._releases.pop(sender, None)
        if release is not None and release.active():
            release.cancel()

    def _release(self, sender: End) -> None:
        self._cancel_release(sender)
        held, self._held[sender] = self._held[sender], []
        if held:
            self._send(sender, b"".join(held))

    def _send(self, sender: End, data: bytes) -> None:
        transport: Any = self._wires[sender.other].transport
        transport.write(data)

    def lost(self, end: End, reason: Failure) -> None:
        """Relay the end of a connection to the other end: a FIN as a FIN, a RST as a RST."""
        abruptly = not reason.check(ConnectionDone)
        self._ended[end] = abruptly
        other = self._wires.get(end.other)
        if len(self._ended) == len(End):
            for each in End:
                self._cancel_release(each)
            self.over.callback(None)
        elif other is not None and end not in self._ignored:
            self._release(end)
            self._pass_on(other, abruptly)

    def _pass_on(self, wire: _Wire, abruptly: bool) -> None:
        """Tell this end that the other one has ended its connection.

        After a FIN, what this end still sends is reported like all else: whether it comes before or
        after the other end's FIN is a race.
        """
        transport: Any = wire.transport
        if abruptly:
            transport.abortConnection()
        else:
            transport.loseWriteConnection()

    def _end(self, wire: _Wire, abruptly: bool) -> None:
        transport: Any = wire.transport
        if abruptly:
            transport.abortConnection()
        else:
            transport.loseConnection()

    # Commands.

    def ignore(self, *ends: End) -> None:
        """Drop everything that these ends send from now on, a FIN or RST included."""
        for end in ends:
            self._ignored.add(end)
            self.on_ignored(end)

    def cut(self) -> None:
        """End both connections with a FIN."""
        for wire in self._wires.values():
            self._end(wire, abruptly=False)

    def reset(self) -> None:
        """End both connections with a RST."""
        for wire in self._wires.values():
            self._end(wire, abruptly=True)
