"""What a worker process tells its parent for the pages; see `tlsdemo.web.worker_questions`."""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.defer import Deferred

from tlsdemo.metrics.server_figures import ServerFigures
from tlsdemo.metrics.workers_figures import FIGURES
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import Server
from tlsdemo.proxy.status_service import Answer, Query
from tlsdemo.trace.model import Trace, lines_of
from tlsdemo.web.page_watches import PageWatches


class WorkerAnswers:
    """Answers for ``server``, whose connections ``watches`` observes.

    ``cpu`` returns the CPU seconds that this process has used.
    """

    def __init__(
        self,
        server: Server,
        settings: ServerSettings,
        watches: PageWatches,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._figures = ServerFigures(server, settings, watches.meter)
        self._connections = watches.connections
        self._cpu = cpu

    def page(self, query: Query) -> Answer:
        """Answer with all figures; with the list of connections only if it has changed.

        ``changes`` of the query is that number of the last answer.
        """
        began = self._cpu()
        reading = self._figures.take_reading()
        answer: Answer = {
            "statistics": reading.snapshot.as_json(),
            FIGURES: self._figures.figures(reading.states).as_json(),
            "changes": self._connections.changes,
        }
        if query.get("changes") != self._connections.changes:
            answer["connections"] = [each.as_json() for each in self._connections.newest_first()]
        return {**answer, "took": self._cpu() - began}

    def at_end(self) -> Answer:
        """Return what the last words have for the pages."""
        return {FIGURES: self._figures.figures().as_json()}

    def connection(self, query: Query) -> Deferred[Answer]:
        """Answer with the lines of the trace of the connection ``number``, none if it is not kept.

        Raises ValueError if that is not a number.
        """
        number = query.get("number")
        if not isinstance(number, int):
            raise ValueError(f"the number of a connection is {number!r:.60}")

        def lines(trace: Trace | None) -> Answer:
            return {"lines": [] if trace is None else list(lines_of(number, trace))}

        return self._connections.trace(number).addCallback(lines)
