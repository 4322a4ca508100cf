"""All connections of one part of a worker's work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any

from twisted.internet.endpoints import clientFromString, quoteStringArgument
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.loadgen.application import LoadApplication
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.connection_steps import ConnectionSteps
from tlsdemo.loadgen.load_connection import LoadConnection, timeouts_of
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.loadgen.scenario_catalogue import SCENARIOS
from tlsdemo.loadgen.schedule import Task, allowed, until_next
from tlsdemo.net.addresses import address_text
from tlsdemo.printable import printable
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.starttls.names import Names
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import MODES, ClientTLS, ConnectionSettings, ModeName, Send, UpgradeProtocol
from tlsdemo.tls.connect_reasons import connect_reason

_LONGEST_DETAIL = 300
"""Characters of the detail of a failure that are reported."""

_UNCONFIRMED = CloseReason(
    Cause.TRUNCATED,
    "the server closed without a word, so that it is not known whether it accepted us",
)


def _in_turn(task: Task) -> list[str]:
    """Return the endpoint strings of a task, one for each source address.

    Each worker begins with another address.
    """
    if not task.sources:
        return [task.connect]
    sources = task.sources.split(",")
    first = task.index % len(sources)
    return [
        f"{task.connect}:bindAddress={quoteStringArgument(each)}"
        for each in (*sources[first:], *sources[:first])
    ]


class ConnectionPool:
    """Opens connections, as ``task`` says, for its scenario to use, and counts them.

    ``on_settled`` is called whenever no connection is being opened, and none will be.
    ``around`` wraps the factory of each connection, to see its bytes of the wire.
    ``peers`` are our own addresses, by which the server identifies the connections.
    """

    def __init__(
        self,
        task: Task,
        tls: ClientTLS,
        reactor: Any,
        recorder: Recorder,
        on_settled: Callable[[], object] = lambda: None,
        around: Callable[[IProtocolFactory], IProtocolFactory] = lambda factory: factory,
    ) -> None:
        self._task = task
        self._on_settled = on_settled
        self._around = around
        self.reactor = reactor
        self.recorder = recorder
        self._mode = MODES[ModeName(task.mode)]
        self._negotiates = self._mode.allows_negotiation and task.dialect != "immediate"
        self._settings = ConnectionSettings(
            self._mode,
            tls,
            partial(
                DIALECTS[task.dialect].client,
                max_line=task.max_line or None,
                max_plain=task.max_plain,
                names=Names(task.helo_name, task.server_name),
            ),
            self._mode.transport_options(None, Send(task.send), 1 << 16),
            timeouts_of(task),
        )
        self._endpoints = cycle([clientFromString(reactor, each) for each in _in_turn(task)])
        self._connections: dict[LoadConnection, None] = {}
        self._began = 0.0
        self._begun = 0
        self._pending = 0
        self._usable = 0
        self._clean = 0
        self._without_end = 0
        self._resumed = 0
        self._groups: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._details: dict[str, str] = {}
        self._closed_sent = 0
        self._closed_received = 0
        self._stopping = False
        self._next: IDelayedCall | None = None
        self._scenario = SCENARIOS[ScenarioName(task.scenario)](self, task)
        self._opened = False
        self.peers: list[str] = []

    # The state of the pool.

    @property
    def begun(self) -> bool:
        """Whether :meth:`open` has been called."""
        return self._opened

    @property
    def settled(self) -> bool:
        """Whether every connection of the beginning has been secured or has failed."""
        if not self._scenario.opens_first:
            return self._opened or self._stopping
        return self._pending == 0 and (self._stopping or self._begun == self._task.connections)

    @property
    def over(self) -> bool:
        """Whether every connection has ended, and none will be opened."""
        if not self._scenario.opens_first and not self._stopping:
            return False
        return self.settled and not self._connections

    @property
    def outstanding(self) -> int:
        """The work of the scenario that has been begun and is not done."""
        return self._scenario.outstanding

    def counters(self) -> LoadCounters:
        """Return the present counters."""
        sent, received = self._closed_sent, self._closed_received
        for connection in self._connections:
            if connection.stream is not None:
                sent += connection.stream.bytes_out
                received += connection.stream.bytes_in
        counts = self._scenario.counts
        return LoadCounters(
            begun=self._begun,
            secured=self._usable,
            clean=self._clean,
            sent=sent,
            received=received,
            packets=sent // self._scenario.write_size,
            answered=counts.answered,
            missed=counts.missed,
            resumed=self._resumed,
            without_end=self._without_end,
            groups=dict(self._groups),
            failed=dict(self._failed),
            details=dict(self._details),
        )

    # What the worker calls.

    def open(self) -> None:
        """Start opening connections, at the rate of the task, if the scenario wants that."""
        self._opened = True
        self._began = self.recorder.now()
        if self._scenario.opens_first:
            self._fill()

    def begin(self, window: Window) -> None:
        """Begin the load of a window."""
        self._scenario.begin(window)

    def rest(self) -> None:
        """Begin no more work."""
        self._scenario.rest()

    def finish(self) -> None:
        """Stop opening and sending, and close every connection in order."""
        self._stopping = True
        self._scenario.rest()
        for connection in list(self._connections):
            connection.finish()

    def abort(self) -> None:
        """Close every connection at once."""
        self._stopping = True
        self._scenario.rest()
        for connection in list(self._connections):
            connection.abort(CloseReason(Cause.ABORTED))

    # What the scenario calls.

    @property
    def open_connections(self) -> Iterable[LoadConnection]:
        """The connections that have not ended."""
        return self._connections

    def may_open(self) -> bool:
        """Whether there may be one more connection."""
        task = self._task
        return (
            not self._stopping
            and len(self._connections) < task.connections
            and self._pending < task.in_flight
        )

    def open_connection(self, due: float) -> None:
        """Open a connection that was ``due`` then."""
        self._begun += 1
        self._pending += 1
        steps = ConnectionSteps(self.recorder, due, self._mode, self._negotiates)
        connection = LoadConnection(self, self._task, steps, self.reactor)
        self._connections[connection] = None
        settings = self._settings

        def build() -> UpgradeProtocol:
            connection.protocol = UpgradeProtocol(settings, connection, self.reactor, steps)
            return connection.protocol

        factory = Factory.forProtocol(build)
        factory.noisy = False
        wrapped = settings.mode.wrap(settings.tls, factory, self.reactor)
        connection.connecting = next(self._endpoints).connect(self._around(wrapped))
        connection.connecting.addCallbacks(
            self._connected, lambda failure: self._not_connected(connection, failure)
        )

    # Opening.

    def _fill(self) -> None:
        task = self._task
        elapsed = self.recorder.now() - self._began
        may = allowed(task.rate, elapsed, task.connections)
        while self._begun < may and self._pending < task.in_flight and not self._stopping:
            self.open_connection(self.recorder.now())
        waiting = self._next is not None and self._next.active()
        if self._begun == may < task.connections and not (waiting or self._stopping):
            wait = until_next(task.rate, elapsed)
            self._next = self.reactor.callLater(wait, self._fill)

    def _connected(self, protocol: Any) -> None:
        if self._scenario.opens_first:
            self.peers.append(address_text(protocol.transport.getHost()))

    def _not_connected(self, connection: LoadConnection, failure: Failure) -> None:
        connection.ended(connection.given_up or connect_reason(failure))

    def _room(self) -> None:
        if self.settled and (self._scenario.opens_first or self._stopping):
            self._on_settled()
        if self._scenario.opens_first:
            self.reactor.callLater(0, self._fill)

    # What the connections call.

    def application(self, connection: LoadConnection) -> LoadApplication:
        """Count a connection that can send, and return what is done with it."""
        self._usable += 1
        self._pending -= 1
        steps = connection.steps
        if steps.group is not None:
            self._groups[steps.group] += 1
            self._resumed += steps.resumed
        self._room()
        return self._scenario.application(connection)

    def ended(self, connection: LoadConnection, close_reason: CloseReason) -> None:
        """Count a connection that has ended."""
        del self._connections[connection]
        if connection.stream is not None:
            self._closed_sent += connection.stream.bytes_out
            self._closed_received += connection.stream.bytes_in
        if connection.application is None:
            self._pending -= 1
        else:
            if close_reason.cause is Cause.REJECTED_BY_PEER:
                # With TLS 1.3 a client is secure before the server rejects it.
                self._usable -= 1
            close_reason = self._judge(connection, connection.application, close_reason)
        if close_reason.clean:
            self._clean += 1
            if self._task.resume and (session := connection.steps.session()) is not None:
                tls: Any = self._settings.tls
                self._settings = replace(self._settings, tls=tls.resuming(session))
        else:
            self._failed[close_reason.cause.value] += 1
            if close_reason.detail:
                detail = printable(close_reason.detail, _LONGEST_DETAIL)
                self._details.setdefault(close_reason.cause.value, detail)
        self._scenario.ended(connection)
        self._room()

    def _judge(
        self, connection: LoadConnection, application: LoadApplication, close_reason: CloseReason
    ) -> CloseReason:
        """Return why a connection has ended that could send: clean only if all was verified."""
        steps = connection.steps
        if close_reason.clean:
            # A server that had rejected us would have sent another alert.
            steps.confirm()
            if not application.complete:
                return CloseReason(Cause.TRUNCATED, application.unfinished)
        elif (
            close_reason.cause is Cause.TRUNCATED
            and application.complete
            and not self._scenario.needs_end
        ):
            # All was verified before we closed; many servers then close without close_notify.
            if not steps.confirmed:
                return _UNCONFIRMED
            self._without_end += 1
            return CLEAN
        return close_reason
