"""The server as a Twisted service."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
)
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from tlsdemo.net.addresses import endpoint_text
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.net.reactor_lag import LagMeter
from tlsdemo.net.runtime_folder import STATUS
from tlsdemo.net.timeout_endpoint import TimeoutEndpoint
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.backend import Backend
from tlsdemo.proxy.connection_factory import ConnectionFactory
from tlsdemo.proxy.connection_registry import ConnectionRegistry, ConnectionTotals
from tlsdemo.proxy.embedded_sink import EmbeddedSink
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.handler import Handler, HandlerListener
from tlsdemo.proxy.handlers import HANDLERS, HandlerName
from tlsdemo.proxy.introduction import IntroductionName, introducer
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.proxy.listening import PROXY_PREFIX, CannotStart, listen, with_private_mode
from tlsdemo.proxy.proxy_header_factory import ProxyHeaderFactory
from tlsdemo.proxy.run_query import RunQuery
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.start_lines import log_start
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.proxy.status_listening import listen_for_this_user
from tlsdemo.proxy.status_service import Answer, Query, StatusFactory
from tlsdemo.reporting.run_text import run_line, statistics_line, summary_lines
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import MODES, ConnectionSettings, ModeName
from tlsdemo.tls.timeouts import ConnectionPhase

_log = PrintableLogger(namespace="tlsdemo")


_MAX_REPORTED = 64
"""How many runs are remembered as logged, so that each is logged only once."""


__all__ = ["CannotStart", "Server"]


class Server(Service):
    """Serves according to ``settings``, from ``startService`` until ``stopService``.

    ``lag_meter`` measures the lag of the reactor.
    """

    def __init__(
        self, settings: ServerSettings, reactor: Any, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._cpu = cpu
        self.lag_meter = LagMeter(reactor)
        self._lag_since_line = self.lag_meter.reading()
        self._lag_since_answer = self.lag_meter.reading()
        self._lag_ever = self.lag_meter.reading()
        self._events = EventLog(
            _log,
            reactor.seconds,
            settings.log_first,
            settings.log_every,
            detailed=settings.diagnostics.log_events,
        )
        self._accounting = Accounting(
            Statistics(),
            ConnectionRegistry(settings.remember),
            self._events,
            settings.diagnostics.trace_file,
            settings.numbers,
            settings.watches,
        )
        self._sink_accounting = Accounting(
            Statistics(),
            ConnectionRegistry(settings.remember),
            EventLog(_log, reactor.seconds, first=0, every=0, max_failures=0),
        )
        self._ports: list[IListeningPort] = []
        self._status: StatusFactory | None = None
        self._backend: Backend | None = None
        self._has_sink = settings.handler is HandlerName.PROXY and settings.backend is None
        limiter = ConnectionLimiter(settings.max_connections, settings.max_per_address)
        self._factory = ConnectionFactory(
            settings.connection, self._make_handler, self._accounting, reactor, limiter
        )
        self._wrapped = settings.connection.mode.wrap(
            settings.connection.tls, self._factory, reactor
        )
        self._headers = ProxyHeaderFactory(
            self._wrapped, settings.proxy_headers, self._accounting, limiter, reactor
        )
        plain = ConnectionSettings(MODES[ModeName.CLEAR], settings.connection.tls)
        self._sink = ConnectionFactory(
            plain,
            lambda listener, _: EmbeddedSink(listener),
            self._sink_accounting,
            reactor,
            name="the embedded sink",
        )
        self._looping = LoopingCall(self._log_statistics)
        self._looping.clock = reactor
        self._before: Snapshot
        self._reported: deque[str] = deque(maxlen=_MAX_REPORTED)

    def _make_handler(self, listener: HandlerListener, upgraded: bool) -> Handler:
        settings = self._settings
        make_filter = settings.dialect.protocol_filter if settings.backend is not None else None
        return HANDLERS[settings.handler](
            listener, self._backend, None if make_filter is None else make_filter(greeted=upgraded)
        )

    # Starting.

    def privilegedStartService(self) -> None:
        """Listen on all endpoints; raises CannotStart if that is not possible."""
        settings = self._settings
        backend = settings.backend
        if self._has_sink:
            backend = endpoint_text(self._listen("tcp:0:interface=127.0.0.1", self._sink).getHost())
        if backend is not None:
            timeout = settings.backend_timeout
            self._backend = Backend(
                TimeoutEndpoint(clientFromString(self._reactor, backend), self._reactor, timeout),
                self._reactor,
                greeting=timeout,
                closing=settings.connection.timeouts.closing,
                max_buffer=settings.connection.max_buffer,
                unavailable=settings.dialect.unavailable(settings.names),
                introduce=introducer(
                    settings.introduction or IntroductionName.NONE,
                    settings.dialect,
                    settings.names,
                    settings.connection.mode.encrypts,
                ),
                embedded=self._has_sink,
            )
        self._serving = [self._serve(where, self._wrapped) for where in settings.listen]
        if settings.status not in (None, STATUS):
            self._status = self._status_factory()
            self._listen(with_private_mode(settings.status), self._status)

    def _status_factory(self) -> StatusFactory:
        return StatusFactory(
            lambda: {
                "statistics": self._answer_statistics,
                "run": RunQuery(self._run_totals, self._log_run),
            },
            self._reactor,
        )

    def _serve(self, where: str, factory: IProtocolFactory) -> IListeningPort:
        bare = where.removeprefix(PROXY_PREFIX)
        if bare != where:
            return self._listen(bare, self._headers, "the PROXY protocol")
        mode = self._settings.connection.mode
        socket_for = f"--mode={mode.name.value}" if mode.needs_socket else ""
        return self._listen(where, factory, socket_for)

    def _listen(
        self, where: str, factory: IProtocolFactory, socket_for: str = ""
    ) -> IListeningPort:
        port = listen(self._reactor, where, factory, socket_for)
        self._ports.append(port)
        return port

    def startService(self) -> None:
        """Start the statistics, and log what is served."""
        super().startService()
        settings = self._settings
        if settings.status == STATUS:
            # Not before: only now is the process that of the user whom twistd --uid names.
            status = self._status_factory()
            serving = [each.getHost() for each in self._serving]
            if listen_for_this_user(serving, lambda where: self._listen(where, status)):
                self._status = status
        self.lag_meter.start()
        self._before = self.snapshot()
        self._looping.start(settings.interval, now=False)
        self._announce()

    def _announce(self) -> None:
        log_start(self._settings, self.listening())

    def listening(self) -> list[str]:
        """Return where clients can connect, as endpoint strings."""
        return [endpoint_text(port.getHost()) for port in self._serving]

    # Reporting.

    def snapshot(self, lag: float = 0.0) -> Snapshot:
        """Return the present counters, with ``lag`` as the greatest lag of the reactor."""
        return self._accounting.statistics.snapshot(
            at=self._reactor.seconds(),
            cpu=self._cpu(),
            lag=lag,
            sink=self._sink_accounting.statistics.received if self._has_sink else None,
        )

    def phases(self) -> Counter[ConnectionPhase]:
        """Return how many of the open connections are in each phase."""
        return self._accounting.statistics.phases()

    def _log_statistics(self) -> None:
        now = self.snapshot(self._lag_since_line.take())
        lately, changed = now.since(self._before), now.counts() != self._before.counts()
        self._before = now
        if changed:
            line = statistics_line(now, lately)
            _log.info("{line}", line=line, statistics=now.as_json())
        self._log_suppressed()

    def _log_suppressed(self) -> None:
        suppressed = self._events.take_suppressed()
        if suppressed:
            _log.warn("{left_out} more failures were not logged one by one", left_out=suppressed)

    def _answer_statistics(self, _query: Query) -> Answer:
        return {
            "statistics": self.snapshot(self._lag_since_answer.take()).as_json(),
            "listening": self.listening(),
        }

    def _run_totals(self, peers: Iterable[str]) -> ConnectionTotals:
        return self._accounting.registry.totals(
            peers, self._sink_accounting.registry if self._has_sink else None
        )

    def _log_run(self, name: str, sent: int, totals: ConnectionTotals) -> None:
        if totals.open == 0 and name not in self._reported:
            self._reported.append(name)
            _log.info("{line}", line=run_line(name, sent, totals.arrived), run=name)

    # Stopping.

    def stopService(self) -> Deferred[None]:
        """Stop listening, close what is open, and log the summary."""
        super().stopService()
        if self._looping.running:
            self._looping.stop()
        self.lag_meter.stop()
        last = self.snapshot()
        stopping: list[Deferred[Any]] = [
            *(maybeDeferred(port.stopListening).addErrback(_not_stopped) for port in self._ports),
            self._headers.abort_all(),
            # The embedded sink is closed last: connections may still drain to it.
            self._factory.drain(self._settings.drain).addCallback(lambda _: self._sink.abort_all()),
        ]
        if last.open and self._settings.drain:
            _log.info(
                "{open} connections are open; they have {seconds:g} s to end in order",
                open=last.open,
                seconds=self._settings.drain,
            )
        done = gatherResults(stopping, consumeErrors=True)
        return done.addCallback(lambda _: self._log_summary(last))

    def _log_summary(self, last: Snapshot) -> None:
        self._log_suppressed()
        self._report_end(self.snapshot(), last.open, self._lag_ever.greatest)
        self._settings.diagnostics.end()
        # Only now: load clients still query what has arrived.
        if self._status is not None:
            self._status.close()

    def _report_end(self, total: Snapshot, open_at_stop: int, lag: float) -> None:
        for line in summary_lines(total, open_at_stop, lag):
            _log.info("{line}", line=line)


def _not_stopped(failure: Failure) -> None:
    _log.warn("cannot stop listening: {problem}", problem=str(failure.value))
