"""All connections of one worker."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.loadgen.load_connection import LoadConnection, timeouts_of
from tlsdemo.loadgen.round_robin import RoundRobin
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


class ConnectionPool:
    """Opens ``task.connections`` connections, makes them send and close, and counts them.

    ``peers`` are our own addresses, by which the server identifies the connections.
    """

    def __init__(self, task: Task, tls: ClientTLS, reactor: Any) -> None:
        self._task = task
        self._reactor = reactor
        mode = MODES[ModeName(task.mode)]
        self._settings = ConnectionSettings(
            mode,
            tls,
            partial(
                DIALECTS[task.dialect].client,
                max_line=task.max_line or None,
                max_plain=task.max_plain,
                names=Names(task.helo_name, task.server_name),
            ),
            mode.transport_options(None, Send(task.send), 1 << 16),
            timeouts_of(task),
        )
        self._endpoint = clientFromString(reactor, task.connect)
        self._packet = b"x" * task.packet_size
        self._connections: dict[LoadConnection, None] = {}
        self._began = 0.0
        self._begun = 0
        self._pending = 0
        self._usable = 0
        self._clean = 0
        self._failed: Counter[str] = Counter()
        self._details: dict[str, str] = {}
        self._closed_sent = 0
        self._closed_received = 0
        self._stopping = False
        self._next: IDelayedCall | None = None
        self.round_robin = RoundRobin(reactor, task.burst)
        self.peers: list[str] = []

    # The state of the pool.

    @property
    def begun(self) -> bool:
        """Whether the first connection has been started."""
        return self._begun > 0

    @property
    def settled(self) -> bool:
        """Whether every connection that will be started has been secured or has failed."""
        return self._pending == 0 and (self._stopping or self._begun == self._task.connections)

    @property
    def over(self) -> bool:
        """Whether every connection has ended."""
        return self.settled and not self._connections

    def counters(self) -> LoadCounters:
        """Return the present counters."""
        sent, received = self._closed_sent, self._closed_received
        for connection in self._connections:
            if connection.stream is not None:
                sent += connection.stream.bytes_out
                received += connection.stream.bytes_in
        return LoadCounters(
            begun=self._begun,
            secured=self._usable,
            clean=self._clean,
            sent=sent,
            received=received,
            packets=sent // self._task.packet_size,
            failed=dict(self._failed),
            details=dict(self._details),
        )

    # What the worker calls.

    def open(self) -> None:
        """Start opening connections, at the rate of the task."""
        self._began = self._reactor.seconds()
        self._fill()

    def send(self) -> None:
        """Make every secure connection send."""
        for connection in list(self._connections):
            connection.send()

    def finish(self) -> None:
        """Stop opening and sending, and close every connection in order."""
        self._stopping = True
        for connection in list(self._connections):
            if connection.usable:
                connection.sender.finish()
            else:
                connection.abort(CloseReason(Cause.ABORTED))

    def abort(self) -> None:
        """Close every connection at once."""
        self._stopping = True
        for connection in list(self._connections):
            connection.abort(CloseReason(Cause.ABORTED))

    # Opening.

    def _fill(self) -> None:
        task = self._task
        elapsed = self._reactor.seconds() - self._began
        may = allowed(task.rate, elapsed, task.connections)
        while self._begun < may and self._pending < task.in_flight and not self._stopping:
            self._open_one()
        waiting = self._next is not None and self._next.active()
        if self._begun == may < task.connections and not (waiting or self._stopping):
            self._next = self._reactor.callLater(until_next(task.rate, elapsed), self._fill)

    def _open_one(self) -> None:
        self._begun += 1
        self._pending += 1
        connection = LoadConnection(self, self._task, self._packet, self._reactor)
        self._connections[connection] = None

        def build() -> UpgradeProtocol:
            connection.protocol = UpgradeProtocol(self._settings, connection, self._reactor)
            return connection.protocol

        factory = Factory.forProtocol(build)
        factory.noisy = False
        settings = self._settings
        wrapped = settings.mode.wrap(settings.tls, factory, self._reactor)
        connection.connecting = self._endpoint.connect(wrapped)
        connection.connecting.addCallbacks(
            self._connected, lambda failure: self._not_connected(connection, failure)
        )

    def _connected(self, protocol: Any) -> None:
        self.peers.append(address_text(protocol.transport.getHost()))

    def _not_connected(self, connection: LoadConnection, failure: Failure) -> None:
        connection.ended(connection.given_up or connect_reason(failure))

    # What the connections call.

    def became_usable(self, connection: LoadConnection) -> None:
        """Count a connection that can send."""
        self._usable += 1
        self._pending -= 1
        self._reactor.callLater(0, self._fill)

    def ended(self, connection: LoadConnection, close_reason: CloseReason) -> None:
        """Count a connection that has ended."""
        del self._connections[connection]
        if connection.stream is not None:
            self._closed_sent += connection.stream.bytes_out
            self._closed_received += connection.stream.bytes_in
        if not connection.usable:
            self._pending -= 1
        elif close_reason.cause is Cause.REJECTED_BY_PEER:
            # With TLS 1.3 a client is secure before the server rejects it.
            self._usable -= 1
        if close_reason.clean and not connection.sender.sent_all:
            close_reason = CloseReason(Cause.TRUNCATED, "the server closed before all was sent")
        if close_reason.clean:
            self._clean += 1
        else:
            self._failed[close_reason.cause.value] += 1
            if close_reason.detail:
                detail = printable(close_reason.detail, _LONGEST_DETAIL)
                self._details.setdefault(close_reason.cause.value, detail)
        self._reactor.callLater(0, self._fill)
