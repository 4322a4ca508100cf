"""The wire between a pinned protocol and its peer, in memory: it sees records, and does harm."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost

from tlsdemo.lab.scenarios import Fault, FaultAction
from tlsdemo.testing.pins.pinned_transport import PinnedTransport
from tlsdemo.testing.pins.recording import Recording
from tlsdemo.testing.pins.scripted_peer import Ending, ScriptedPeer
from tlsdemo.testing.pins.situations import Situation
from tlsdemo.trace.model import Arrow, End, Fate
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.record_reader import RecordReader
from tlsdemo.trace.tls_detection import excerpt

SLOW = 1024
"""Bytes that a slow reader takes at a time."""

BUFFER = 1 << 16
"""Bytes that a transport holds before it pauses its producer, as Twisted's sockets do."""


class MemoryWire:
    """Carries what both ends send until nothing moves, in a fixed order.

    Args:
        transport: That of the pinned protocol.
        peer: The other end.
        situation: What goes wrong.
        record: Gets the records that are sent.
    """

    def __init__(
        self,
        transport: PinnedTransport,
        peer: ScriptedPeer,
        situation: Situation,
        record: Recording,
    ) -> None:
        self._transport = transport
        self._peer = peer
        self._record = record
        self._pinned = record.subject.end
        self._slow = situation.reads_slowly
        self._fault = situation.fault_of_wire
        self._readers = {end: RecordReader(record.subject.shown) for end in End}
        self._silent = False
        self._cut = False
        self._held = b""
        self._paused = False

    def pump(self) -> None:
        """Carry bytes, and the end of the connection, until nothing moves."""
        while self._from_pinned() or self._from_peer():
            pass

    def drip(self) -> bool:
        """Let a slow reader read a little; returns whether there was something."""
        some, self._held = self._held[:SLOW], self._held[SLOW:]
        if some:
            self._peer.deliver(some)
        if self._paused and not self._held:
            self._paused = False
            self._transport.resume_producer()
        return bool(some)

    def _from_pinned(self) -> bool:
        data = self._transport.take()
        if data:
            self._relay(self._pinned, data)
        self._transport.turn()
        ended = not self._transport.connected and self._peer.connected and not self._held
        if ended and not (self._silent or self._peer.ignores):
            aborted = self._transport.aborted
            self._peer.lose(ConnectionLost() if aborted else ConnectionDone())
        return bool(data)

    def _from_peer(self) -> bool:
        data = self._peer.take()
        if data:
            self._relay(self._pinned.other, data)
        self._peer.turn()
        if self._silent or not self._transport.connected:
            return bool(data)
        if self._peer.ending is Ending.RESET:
            self._transport.lose(ConnectionLost())
        elif self._cut or not self._peer.connected:
            self._transport.finish()
        return bool(data)

    def _relay(self, sender: End, data: bytes) -> None:
        records = self._readers[sender].feed(data)
        fault = self._fault
        if fault is not None and any(fault.matches(sender, each) for each in records):
            self._fault = None
            self._do_harm(fault, sender, records)
            return
        lost = self._silent or self._cut or (sender is self._pinned and self._peer.ignores)
        self._report(sender, records, Fate.DROPPED if lost else Fate.PASSED)
        if not lost:
            self._deliver(sender, data)

    def _do_harm(self, fault: Fault, sender: End, records: list[Record]) -> None:
        self._report(sender, records, Fate.DROPPED)
        if fault.action is FaultAction.REPLACE:
            words = excerpt(fault.data)
            record = Record(Kind.UNREADABLE, len(fault.data), "", (words,))
            self._report(sender, [record], Fate.INJECTED)
            self._deliver(sender, fault.data)
        elif fault.action is FaultAction.SILENCE:
            self._silent = True
        else:
            self._cut = True
            self._peer.lose(ConnectionDone())

    def _deliver(self, sender: End, data: bytes) -> None:
        if sender is not self._pinned:
            self._transport.deliver(data)
        elif not self._slow:
            self._peer.deliver(data)
        else:
            self._held += data
            if len(self._held) > BUFFER and not self._paused:
                self._paused = True
                self._transport.pause_producer()

    def _report(self, sender: End, records: list[Record], fate: Fate) -> None:
        for record in records:
            self._record.arrow(Arrow(sender, 0.0, record, fate))
