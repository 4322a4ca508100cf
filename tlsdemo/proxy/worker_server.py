"""The server in a worker process: it reports to its parent instead of logging its counters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tlsdemo.proxy.run_query import checked_peers
from tlsdemo.proxy.service import Server
from tlsdemo.proxy.status_service import (
    Answer,
    Answering,
    Answers,
    Query,
    StatusFactory,
    StatusProtocol,
)
from tlsdemo.reporting.snapshot import Snapshot


class WorkerServer(Server):
    """A server that answers the queries of its parent; see `tlsdemo.proxy.worker_process`.

    ``say`` writes a line to the parent; ``at_end`` returns what is told with the last counters.
    """

    say: Callable[[bytes], object]
    at_end: Callable[[], Answer] = dict

    def parent_protocol(self, on_end: Callable[[], object], **more: Answering) -> StatusProtocol:
        """Return the protocol for the parent; ``on_end`` is called when that has gone away.

        ``more`` answers what else the parent may ask, by its name.
        """
        answers: Answers = {**self._answers(), **more}
        protocol = _ParentFactory(lambda: answers, self._reactor, on_end).buildProtocol(None)
        # The parent may take its time.
        protocol.patience = protocol.idle_timeout = None
        self.say = protocol.sendLine
        return protocol

    def _answers(self) -> Answers:
        return {
            "statistics": self._answer_statistics,
            "totals": self._answer_totals,
            "alive": lambda _query: {},
        }

    def _answer_totals(self, query: Query) -> Answer:
        return {"totals": asdict(self._run_totals(checked_peers(query.get("peers"))))}

    def _announce(self) -> None:
        """Leave it to the parent to say where and how it serves."""

    def _log_statistics(self) -> None:
        """Leave it to the parent, which adds up those of all workers."""
        self._log_suppressed()

    def _report_end(self, total: Snapshot, open_at_stop: int, lag: float) -> None:
        final = {"statistics": total.as_json(), "open_at_stop": open_at_stop, "lag": lag}
        self.say(json.dumps({"final": {**final, **self.at_end()}}).encode())


class _ParentFactory(StatusFactory):
    """Makes the one protocol for the parent."""

    def __init__(
        self, answers: Callable[[], Answers], clock: Any, on_end: Callable[[], object]
    ) -> None:
        super().__init__(answers, clock)
        self._on_end = on_end

    def forget(self, protocol: StatusProtocol) -> None:
        """Note that the parent has gone away."""
        super().forget(protocol)
        self._on_end()
