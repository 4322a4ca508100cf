"""The server as a service: listens, serves, counts, tells, and sums up at the end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
)
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from tlsdemo.net.addresses import endpoint_text
from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.net.timeout_endpoint import TimeoutEndpoint
from tlsdemo.proxy.accepted_connection import Accounting
from tlsdemo.proxy.backend import Backend
from tlsdemo.proxy.connection_factory import ConnectionFactory, Setting
from tlsdemo.proxy.connection_registry import ConnectionRegistry
from tlsdemo.proxy.diagnostics import NOTHING, Recording
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.handler import Handler, Owner
from tlsdemo.proxy.handlers import HANDLERS, HandlerName
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.proxy.reactor_lag import LagMeter
from tlsdemo.proxy.sink_handler import Sink
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.proxy.status_service import Answer, Question, StatusFactory
from tlsdemo.reporting.run_text import run_line, statistics_line, summary_lines
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.negotiation import MAX_LINE, MAX_PLAIN, Negotiation
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import MODES, Mode, ModeName, ServerTLS, TransportOptions
from tlsdemo.tls.timeouts import NO_TIMEOUTS, Timeouts

BACKLOG = 512
"""Connections that may wait to be accepted; Twisted's 50 makes a burst of clients wait longer."""


_log = Logger(namespace="tlsdemo")


_REPORTED = 64
"""How many runs are remembered as reported, so that asking again does not log them again."""

_MOST_OF_A_NAME = 100
"""Characters of a run's name that are remembered and logged."""


class CannotStart(Exception):
    """The server cannot start; the text is one line that says why."""


@dataclass(frozen=True)
class ServerSettings:
    """What a server does: where it listens, how it secures, what it does with the cleartext.

    ``backend``: endpoint string of the plain backend; ``None`` for the embedded sink.
    ``status``: endpoint string of the status service, ``None`` for none.
    ``interval``: seconds between two lines of statistics.  ``remember``: how many connections
    the status service can tell of.

    ``dialect``: the plain words before TLS; with ``auto``, TLS from the first byte as well.
    ``guard`` off lets plain bytes that were injected pass for cleartext.  ``max_line`` and
    ``max_plain``: bytes of a line, and of all words before TLS.  ``timeouts``: the deadlines, in
    seconds; ``backend_timeout``: how long connecting to the backend may take, and how long its
    greeting.  ``max_buffer``: bytes that are kept at the most, in each direction of a connection.
    ``max_connections`` and ``max_per_address``: how many at once, 0 for any number.  ``drain``:
    seconds that open connections have to end in order when the server stops.  ``recording``: what
    is written down of single connections.
    """

    listen: Sequence[str]
    mode: Mode
    transport_options: TransportOptions
    tls: ServerTLS
    handler: HandlerName
    backend: str | None
    status: str | None
    interval: float = 5.0
    log_first: int = 3
    log_every: int = 100
    remember: int = 1 << 16
    dialect: Dialect = DIALECTS["immediate"]
    auto: bool = False
    guard: bool = True
    max_line: int = MAX_LINE
    max_plain: int = MAX_PLAIN
    timeouts: Timeouts = NO_TIMEOUTS
    backend_timeout: float = 30.0
    max_buffer: int = MAX_BUFFER
    max_connections: int = 0
    max_per_address: int = 0
    drain: float = 0.0
    recording: Recording = NOTHING


class Server(Service):
    """Serves as ``config`` says, from ``startService`` to ``stopService``."""

    def __init__(
        self, config: ServerSettings, reactor: Any, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._config = config
        self._reactor = reactor
        self._cpu = cpu
        self._lag = LagMeter(reactor)
        self._lag_since_line = self._lag.watch()
        self._lag_since_answer = self._lag.watch()
        self._lag_ever = self._lag.watch()
        recording = config.recording
        self._events = EventLog(
            _log,
            reactor.seconds,
            config.log_first,
            config.log_every,
            in_full=recording.log_events,
        )
        self._accounting = Accounting(
            Statistics(), ConnectionRegistry(config.remember), self._events, recording.trace_file
        )
        self._sink_accounting = Accounting(
            Statistics(),
            ConnectionRegistry(config.remember),
            EventLog(_log, reactor.seconds, first=0, every=0, most=0),
        )
        self._ports: list[IListeningPort] = []
        self._status: StatusFactory | None = None
        self._backend: Backend | None = None
        self._has_sink = config.handler is HandlerName.PROXY and config.backend is None
        self._factory = ConnectionFactory(
            Setting(
                config.mode,
                config.tls,
                config.transport_options,
                self._make_handler,
                self._make_negotiation,
                config.timeouts,
                ConnectionLimiter(config.max_connections, config.max_per_address),
                config.max_buffer,
            ),
            self._accounting,
            reactor,
        )
        self._sink = ConnectionFactory(
            Setting(MODES[ModeName.CLEAR], config.tls, config.transport_options, Sink),
            self._sink_accounting,
            reactor,
        )
        self._looping = LoopingCall(self._tell)
        self._looping.clock = reactor
        self._before: Snapshot
        self._reported: deque[str] = deque(maxlen=_REPORTED)

    def _make_handler(self, owner: Owner) -> Handler:
        protocol_filter = (
            self._config.dialect.protocol_filter if self._config.backend is not None else None
        )
        return HANDLERS[self._config.handler](
            owner, self._backend, None if protocol_filter is None else protocol_filter()
        )

    def _make_negotiation(self) -> Negotiation:
        config = self._config
        make = config.dialect.auto() if config.auto else config.dialect.server
        return make(config.guard, config.max_line, config.max_plain)

    # Starting.

    def privilegedStartService(self) -> None:
        """Listen; raises CannotStart if that is not possible."""
        config = self._config
        backend = config.backend
        if self._has_sink:
            backend = endpoint_text(self._listen("tcp:0:interface=127.0.0.1", self._sink).getHost())
        if backend is not None:
            timeouts = config.backend_timeout
            self._backend = Backend(
                TimeoutEndpoint(clientFromString(self._reactor, backend), self._reactor, timeouts),
                self._reactor,
                greeting=timeouts,
                closing=config.timeouts.closing,
                max_buffer=config.max_buffer,
            )
        wrapped = config.mode.wrap(config.tls, self._factory, self._reactor)
        self._serving = [self._listen(where, wrapped) for where in config.listen]
        if config.status is not None:
            answers = {"statistics": self._answer_statistics, "run": self._answer_run}
            self._status = StatusFactory(answers, self._reactor)
            self._listen(config.status, self._status)

    def _listen(self, where: str, factory: IProtocolFactory) -> IListeningPort:
        result: list[IListeningPort | Failure] = []
        endpoint = serverFromString(self._reactor, with_backlog(where))
        maybeDeferred(endpoint.listen, factory).addBoth(result.append)
        outcome = result[0] if result else None
        if isinstance(outcome, Failure):
            raise CannotStart(f"cannot listen on {where}: {_reason(outcome)}")
        if outcome is None:
            raise CannotStart(f"cannot listen on {where}: the endpoint does not answer at once")
        self._ports.append(outcome)
        return outcome

    def startService(self) -> None:
        """Begin to serve what has been listened for."""
        super().startService()
        config = self._config
        self._lag.start()
        self._before = self.snapshot()
        self._looping.start(config.interval, now=False)
        _log.info(
            "listening on {listening}; mode {mode}, dialect {dialect}, delivery {delivery}, "
            "role {role}{backend}",
            listening=", ".join(self.listening()),
            mode=config.mode.name.value,
            dialect=f"{'auto:' if config.auto else ''}{config.dialect.name}",
            delivery=config.transport_options.delivery.value,
            role=config.handler.value,
            backend=self._backend_text(),
        )

        config.recording.begin()
        if not config.guard:
            _log.critical(
                "UNSAFE: plain bytes injected before TLS will pass for cleartext. "
                "For demonstration only."
            )

    def _backend_text(self) -> str:
        if self._config.handler is not HandlerName.PROXY:
            return ""
        return f" to {self._config.backend or 'an embedded sink'}"

    def listening(self) -> list[str]:
        """Return where clients can connect, as they would write it."""
        return [endpoint_text(port.getHost()) for port in self._serving]

    # Telling.

    def snapshot(self, lag: float = 0.0) -> Snapshot:
        """Return the figures of this moment, with ``lag`` as the reactor's greatest."""
        return self._accounting.statistics.snapshot(
            at=self._reactor.seconds(),
            cpu=self._cpu(),
            lag=lag,
            sink=self._sink_accounting.statistics.received if self._has_sink else None,
        )

    def _tell(self) -> None:
        now = self.snapshot(self._lag_since_line.take())
        line = statistics_line(now, now.since(self._before))
        self._before = now
        _log.info("{line}", line=line, statistics=now.as_json())
        self._tell_left_out()

    def _tell_left_out(self) -> None:
        left_out = self._events.take_left_out()
        if left_out:
            _log.warn("{left_out} more failures were not logged one by one", left_out=left_out)

    def _answer_statistics(self, _question: Question) -> Answer:
        return {
            "statistics": self.snapshot(self._lag_since_answer.take()).as_json(),
            "listening": self.listening(),
        }

    def _answer_run(self, question: Question) -> Answer:
        name, sent, peers = (question.get(key) for key in ("name", "sent", "peers"))
        if not (isinstance(name, str) and isinstance(sent, int) and isinstance(peers, list)):
            raise ValueError("a run has a name, the number of bytes sent and a list of peers")
        account = self._accounting.registry.account(
            map(str, peers), self._sink_accounting.registry if self._has_sink else None
        )
        if account.open == 0 and name[:_MOST_OF_A_NAME] not in self._reported:
            self._reported.append(name[:_MOST_OF_A_NAME])
            shown = name[:_MOST_OF_A_NAME]
            _log.info("{line}", line=run_line(shown, sent, account.arrived), run=shown)
        return {"run": asdict(account)}

    # Stopping.

    def stopService(self) -> Deferred[None]:
        """Listen no more, close what is open, and log the summary."""
        super().stopService()
        if self._looping.running:
            self._looping.stop()
        self._lag.stop()
        last = self.snapshot()
        stopping: list[Deferred[Any]] = [
            *(maybeDeferred(port.stopListening) for port in self._ports),
            # The embedded sink has to be there for as long as there is something to drain to it.
            self._factory.drain(self._config.drain).addCallback(lambda _: self._sink.abort_all()),
        ]
        if last.open and self._config.drain:
            _log.info(
                "{open} connections are open; they have {seconds:g} s to end in order",
                open=last.open,
                seconds=self._config.drain,
            )
        done = gatherResults(stopping, consumeErrors=True)
        return done.addCallback(lambda _: self._sum_up(last))

    def _sum_up(self, last: Snapshot) -> None:
        self._tell_left_out()
        lag = self._lag_ever.greatest
        for line in summary_lines(self.snapshot(), open_at_stop=last.open, lag=lag):
            _log.info("{line}", line=line)
        self._config.recording.end()
        # Until now, load clients could still ask what had arrived.
        if self._status is not None:
            self._status.close()


def with_backlog(where: str) -> str:
    """Add our backlog to an endpoint string that could have one and does not."""
    kind = where.partition(":")[0]
    if kind in ("tcp", "tcp6", "ssl", "unix") and "backlog=" not in where:
        return f"{where}:backlog={BACKLOG}"
    return where


def _reason(failure: Failure) -> str:
    error = failure.value
    if isinstance(error, CannotListenError):
        error = error.socketError
    return getattr(error, "strerror", None) or str(error)
