"""One connection that is served: its session, its role, and what becomes of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IProtocol

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.proxy.connection_registry import ConnectionRecord, ConnectionRegistry
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.handler import Handler, Owner
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.proxy.trace_file import TraceFile
from tlsdemo.tls import ConnectionInfo, Watch
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.timeline import Fact, Later, Timeline


@dataclass(frozen=True)
class Accounting:
    """Where the connections of one service are accounted for."""

    statistics: Statistics
    registry: ConnectionRegistry
    events: EventLog
    trace_file: TraceFile | None = None

    def watch(self, number: int, peer: str, clock: Callable[[], float]) -> Watch | None:
        """Return what watches connection ``number``, which begins now, or ``None``."""
        logs = self.events.told(number, peer)
        traces = None if self.trace_file is None else self.trace_file.told(number, peer)
        told = [each for each in (logs, traces) if each is not None]
        if not told:
            return None

        def tell(seen: Mark | Arrow) -> None:
            for each in told:
                each(seen)

        return Watch(
            End.SERVER,
            clock,
            clock(),
            told[0] if len(told) == 1 else tell,
            wire=traces is not None,
        )

    def turned_away(self, peer: str, why: str) -> None:
        """Count, and log, a connection from ``peer`` that was not let in."""
        close_reason = CloseReason(Cause.TOO_MANY, why)
        self.statistics.failed[close_reason.cause.value] += 1
        self.events.failed(0, peer, close_reason)


class AcceptedConnection:
    """Listens to one connection's securing, gives it its role, and closes its accounts.

    A connection is over when its stream has ended *and* its role is done: a proxy may still have
    to drain to its backend.  It failed if either did not end as it should.
    """

    def __init__(
        self,
        number: int,
        peer: str,
        accounting: Accounting,
        make_handler: Callable[[Owner], Handler],
        timeline: Timeline,
        forget: Callable[[AcceptedConnection], object],
    ) -> None:
        self._number = number
        self._peer = peer
        self._accounting = accounting
        self._make_handler = make_handler
        self._timeline = timeline
        self._forget = forget
        self._record: ConnectionRecord
        self._stream_close_reason: CloseReason | None = None
        self._handler_close_reason: CloseReason | None = None
        self._handler: Handler | None = None
        self.host = ""
        self.session: UpgradeProtocol

    def opened(self, session: UpgradeProtocol) -> None:
        """Open the accounts of a connection that has just been accepted."""
        self.session = session
        self._accounting.statistics.connection_opened(session)
        self._record = self._accounting.registry.open(self._peer, self._received)

    def _received(self) -> int:
        stream = self.session.stream
        return 0 if stream is None else stream.bytes_in

    def abort(self) -> None:
        """Close at once."""
        if self._handler is not None:
            self._handler.abort()
        self.session.abort(CloseReason(Cause.ABORTED))

    def close(self) -> None:
        """Close in order what can be; the rest, whose handshake is not complete, at once."""
        if self._handler is not None and self.session.stream is not None:
            # A registered producer could still write, and so would keep it open.
            self.session.stream.unregisterProducer()
            self.session.stream.loseConnection()
        else:
            self.abort()

    # What the securing tells.

    def handshake_completed(self) -> None:
        """Note Twisted's word beside our own."""
        self._timeline.record("handshakeCompleted")

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Give the connection its role."""
        self._timeline.record("secure", agreed=Later(info))
        self._accounting.statistics.secured += 1
        return self._give_handler()

    def plain(self) -> IProtocol | None:
        """Give the connection its role, in mode ``clear``."""
        return self._give_handler()

    def _give_handler(self) -> Handler:
        self._handler = self._make_handler(self)
        return self._handler

    def insecure(self, close_reason: CloseReason) -> None:
        """Close the accounts: there has never been a role."""
        self._timeline.record("insecure", why=str(close_reason))
        self._stream_close_reason = close_reason
        self._handler_close_reason = CLEAN
        self._close()

    def ended(self, close_reason: CloseReason) -> None:
        """The stream is over."""
        self._timeline.record("closed", how=str(close_reason))
        self._stream_close_reason = close_reason
        self._close()

    # What the role tells.

    def happened(self, event: str, **facts: Fact) -> None:
        """Note it in the timeline."""
        self._timeline.record(event, **facts)

    def backend_joined(self, host: str) -> None:
        """Remember how to find the other end's entry."""
        self._record.backend = host

    def drained(self, close_reason: CloseReason) -> None:
        """The role is done."""
        self._timeline.record("drained")
        self._handler_close_reason = close_reason
        self._close()

    def _close(self) -> None:
        if self._stream_close_reason is None or self._handler_close_reason is None:
            return
        close_reason = (
            self._handler_close_reason
            if self._stream_close_reason.clean
            else self._stream_close_reason
        )
        self._accounting.statistics.connection_ended(self.session, close_reason)
        self._record.close(failed=not close_reason.clean)
        if not close_reason.clean and close_reason.cause is not Cause.ABORTED:
            self._accounting.events.failed(self._number, self._peer, close_reason)
        # The role has us as its owner.
        self._handler = None
        self._forget(self)
