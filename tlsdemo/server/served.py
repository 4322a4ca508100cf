"""One connection that is served: its session, its role, and what becomes of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IProtocol

from tlsdemo.causes import CLEAN, Cause, Ending
from tlsdemo.secure import Agreement, Watch
from tlsdemo.server.eventlog import EventLog
from tlsdemo.server.ledger import Entry, Ledger
from tlsdemo.server.role import Owner, Role
from tlsdemo.server.statistics import Statistics
from tlsdemo.server.tracing import Tracing
from tlsdemo.session.session import Session
from tlsdemo.timeline import Fact, Later, Timeline
from tlsdemo.trace import Arrow, End, Mark


@dataclass(frozen=True)
class Books:
    """Where the connections of one service are accounted for."""

    statistics: Statistics
    ledger: Ledger
    events: EventLog
    tracing: Tracing | None = None

    def watch(self, number: int, peer: str, clock: Callable[[], float]) -> Watch | None:
        """Return what watches connection ``number``, which begins now, or ``None``."""
        logs = self.events.told(number, peer)
        traces = None if self.tracing is None else self.tracing.told(number, peer)
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
        ending = Ending(Cause.TOO_MANY, why)
        self.statistics.failed[ending.cause.value] += 1
        self.events.failed(0, peer, ending)


class Served:
    """Listens to one connection's securing, gives it its role, and closes its accounts.

    A connection is over when its stream has ended *and* its role is done: a proxy may still have
    to drain to its backend.  It failed if either did not end as it should.
    """

    def __init__(
        self,
        number: int,
        peer: str,
        books: Books,
        make_role: Callable[[Owner], Role],
        timeline: Timeline,
        forget: Callable[[Served], object],
    ) -> None:
        self._number = number
        self._peer = peer
        self._books = books
        self._make_role = make_role
        self._timeline = timeline
        self._forget = forget
        self._entry: Entry
        self._stream_ending: Ending | None = None
        self._role_ending: Ending | None = None
        self._role: Role | None = None
        self.host = ""
        self.session: Session

    def opened(self, session: Session) -> None:
        """Open the accounts of a connection that has just been accepted."""
        self.session = session
        self._books.statistics.connection_opened(session)
        self._entry = self._books.ledger.open(self._peer, self._received)

    def _received(self) -> int:
        stream = self.session.stream
        return 0 if stream is None else stream.bytes_in

    def abort(self) -> None:
        """Close at once."""
        if self._role is not None:
            self._role.abort()
        self.session.abort(Ending(Cause.ABORTED))

    def close(self) -> None:
        """Close in order what can be; the rest, whose handshake is not complete, at once."""
        if self._role is not None and self.session.stream is not None:
            # A registered producer could still write, and so would keep it open.
            self.session.stream.unregisterProducer()
            self.session.stream.loseConnection()
        else:
            self.abort()

    # What the securing tells.

    def handshake_completed(self) -> None:
        """Note Twisted's word beside our own."""
        self._timeline.record("handshakeCompleted")

    def secure(self, agreement: Agreement) -> IProtocol | None:
        """Give the connection its role."""
        self._timeline.record("secure", agreed=Later(agreement))
        self._books.statistics.secured += 1
        return self._give_role()

    def plain(self) -> IProtocol | None:
        """Give the connection its role, in mode ``clear``."""
        return self._give_role()

    def _give_role(self) -> Role:
        self._role = self._make_role(self)
        return self._role

    def insecure(self, ending: Ending) -> None:
        """Close the accounts: there has never been a role."""
        self._timeline.record("insecure", why=str(ending))
        self._stream_ending = ending
        self._role_ending = CLEAN
        self._close()

    def ended(self, ending: Ending) -> None:
        """The stream is over."""
        self._timeline.record("closed", how=str(ending))
        self._stream_ending = ending
        self._close()

    # What the role tells.

    def happened(self, event: str, **facts: Fact) -> None:
        """Note it in the timeline."""
        self._timeline.record(event, **facts)

    def backend_joined(self, host: str) -> None:
        """Remember how to find the other end's entry."""
        self._entry.backend = host

    def drained(self, ending: Ending) -> None:
        """The role is done."""
        self._timeline.record("drained")
        self._role_ending = ending
        self._close()

    def _close(self) -> None:
        if self._stream_ending is None or self._role_ending is None:
            return
        ending = self._role_ending if self._stream_ending.clean else self._stream_ending
        self._books.statistics.connection_ended(self.session, ending)
        self._entry.close(failed=not ending.clean)
        if not ending.clean and ending.cause is not Cause.ABORTED:
            self._books.events.failed(self._number, self._peer, ending)
        # The role has us as its owner.
        self._role = None
        self._forget(self)
