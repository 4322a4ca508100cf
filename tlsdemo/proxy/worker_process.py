"""One worker process of the server, as its parent sees it.

On standard input it gets queries, and answers on standard output, as the status service does: JSON
objects, one a line.  Its last line is ``{"final": …}``, its counters when all has ended.  On
standard error it writes the lines of its log; see `tlsdemo.proxy.worker_log`.
"""

from __future__ import annotations

import json
import signal
from collections import deque
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.net.child_process import ChildProcess, split_lines
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.worker_log import logged
from tlsdemo.reporting.snapshot import Snapshot

ANSWER_WITHIN = 5.0
"""Seconds until a worker has to answer a query."""

Answer = dict[str, Any]

_log = PrintableLogger(namespace="tlsdemo")


class WorkerProcess:
    """Starts ``command`` with ``descriptors``, as worker ``number``.

    Attributes:
        snapshot: The counters that it has told last.
        final: Its last words: counters, connections that were open when it was stopped, greatest
            lag; None if it has not come to them.
        pid: Its process ID.
        began: When it was started, in seconds of the reactor's clock.
        ended: Fires with one line that says how, when the process has ended.
    """

    def __init__(
        self, reactor: Any, command: Sequence[str], descriptors: Sequence[int], number: int
    ) -> None:
        self._reactor = reactor
        self.number = number
        self.snapshot = Snapshot()
        self.final: Answer | None = None
        self.began: float = reactor.seconds()
        self._asked: deque[Deferred[Answer]] = deque()
        self._child = ChildProcess(
            reactor,
            command,
            descriptors=descriptors,
            # It would end a worker that has not come to handle it.
            blocked=[signal.SIGHUP],
            stdout=split_lines(self._answered),
            stderr=split_lines(self._logged),
        )
        self.pid = self._child.pid
        self.ended: Deferred[str] = self._child.wait().addCallback(self._has_ended)

    def ask(self, **query: object) -> Deferred[Answer]:
        """Return a Deferred of the answer; it fails if there is none within `ANSWER_WITHIN`."""
        answer: Deferred[Answer] = Deferred()
        self._asked.append(answer)
        self._child.write(json.dumps(query).encode() + b"\n")
        return answer.addTimeout(ANSWER_WITHIN, self._reactor)

    def reload(self) -> None:
        """Have it load the certificates again."""
        self._child.send_signal("HUP")

    def stop(self, within: float) -> Deferred[int]:
        """Have it end in order, and kill it after ``within`` seconds."""
        return self._child.stop(within)

    def _answered(self, line: bytes) -> None:
        answer: Answer = json.loads(line)
        if "final" in answer:
            self.final = answer["final"]
            self.snapshot = Snapshot.from_json(answer["final"]["statistics"])
            return
        if "statistics" in answer:
            self.snapshot = Snapshot.from_json(answer["statistics"])
        self._asked.popleft().callback(answer)

    def _logged(self, line: bytes) -> None:
        level, text = logged(line)
        _log.emit(level, "worker {worker}: {text}", worker=self.number, text=text)

    def _has_ended(self, returncode: int) -> str:
        # Whoever waits for an answer may ask again at once: a page whose next request has arrived.
        while self._asked:
            self._asked.popleft().cancel()
        if returncode < 0:
            return f"ended by signal {-returncode}"
        return f"exited with status {returncode}"
