"""One worker process of the server, as its parent sees it.

On standard input it gets queries, and answers on standard output, as the status service does: JSON
objects, one a line.  Its last line is ``{"final": …}``, its counters when all has ended.  On
standard error it writes the lines of its log; see `tlsdemo.proxy.worker_log`.

Theory of operation.  A worker that stands still, as one that was stopped or that loops, keeps its
connections and its socket, to which the kernel gives new ones.  So it is asked something every
`CHECK_EVERY` seconds; if it says nothing for `ANSWER_WITHIN`, it hangs.  Then it is asked nothing
more, and killed after `HANGS_FOR`, unless it answers before.
"""

from __future__ import annotations

import enum
import json
import signal
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from tlsdemo.net.child_process import ChildProcess, split_lines
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.worker_log import LONGEST_LOGGED, logged
from tlsdemo.reporting.snapshot import Snapshot, counted

ANSWER_WITHIN = 5.0
"""Seconds until a worker has to answer a query."""

CHECK_EVERY = 5.0
"""Seconds after which a worker is asked whether it lives, if it is asked nothing else."""

HANGS_FOR = 25.0
"""Seconds that a worker may hang before it is killed; while it is stopped, `ANSWER_WITHIN`."""

START_WITHIN = 300.0
"""Seconds that a worker has to answer for the first time: many may start on few processors."""

Answer = dict[str, Any]

_Read = TypeVar("_Read")

_log = PrintableLogger(namespace="tlsdemo")


class WorkerState(enum.Enum):
    """How a worker answers."""

    STARTING = "starting"
    ANSWERING = "answering"
    HANGING = "hanging"
    BROKEN = "broken"


class NoAnswer(Exception):
    """A worker has answered what cannot be used; this has been logged."""


class WorkerProcess:
    """Starts ``command`` with ``descriptors``, as worker ``number``.

    Attributes:
        state: How it answers.
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
        self.state = WorkerState.STARTING
        self.snapshot = Snapshot()
        self.final: Answer | None = None
        self.began: float = reactor.seconds()
        self._asked: deque[Deferred[Answer]] = deque()
        self._asked_at = self._heard_at = self.began
        self._complaint = ""
        self._child = ChildProcess(
            reactor,
            command,
            descriptors=descriptors,
            # It would end a worker that has not come to handle it.
            blocked=[signal.SIGHUP],
            stdout=split_lines(self._said),
            stderr=split_lines(self._logged, LONGEST_LOGGED),
        )
        self.pid = self._child.pid
        self._kill_later: IDelayedCall | None = reactor.callLater(START_WITHIN, self._kill)
        self.ended: Deferred[str] = self._child.wait().addCallback(self._has_ended)

    # Asking.

    def ask(self, read: Callable[[Answer], _Read], **query: object) -> Deferred[_Read]:
        """Return a Deferred of what ``read`` returns for the answer.

        It fails if there is no answer within `ANSWER_WITHIN`, at once if the worker hangs; and with
        `NoAnswer` if ``read`` raises, which is logged.
        """
        if self.state in (WorkerState.HANGING, WorkerState.BROKEN):
            return defer.fail(defer.TimeoutError(f"worker {self.number} does not answer"))
        answer: Deferred[Answer] = Deferred()
        self._asked.append(answer)
        self._asked_at = self._reactor.seconds()
        self._child.write(json.dumps(query).encode() + b"\n")
        answer.addTimeout(ANSWER_WITHIN, self._reactor)
        return answer.addCallbacks(lambda found: self._read(read, found), self._unanswered)

    def check(self) -> None:
        """Ask whether it lives, if it has been asked nothing lately."""
        if self._reactor.seconds() - self._asked_at >= CHECK_EVERY and self.final is None:
            self.ask(lambda _: None, ask="alive").addErrback(lambda _: None)

    def _read(self, read: Callable[[Answer], _Read], answer: Answer) -> _Read:
        try:
            if "error" in answer:
                raise ValueError(answer["error"])
            if "statistics" in answer:
                self.snapshot = Snapshot.from_json(answer["statistics"])
            return read(answer)
        except Exception as problem:
            # It may be of a version that was installed after this process has started.
            self._complain(
                f"answers what this version cannot use, so its newest figures are missing "
                f"({type(problem).__name__}: {problem!s:.200})"
            )
            raise NoAnswer from problem

    def _complain(self, complaint: str) -> None:
        # It may do the same for every question.
        if complaint != self._complaint:
            self._complaint = complaint
            _log.error("worker {worker} {complaint}", worker=self.number, complaint=complaint)

    # Hanging.

    def _unanswered(self, failure: Failure) -> Any:
        silent = self._reactor.seconds() - self._heard_at
        if (
            failure.check(defer.TimeoutError)
            and self.state is WorkerState.ANSWERING
            and silent >= ANSWER_WITHIN
            and self.final is None
        ):
            self.state = WorkerState.HANGING
            self._kill_later = self._reactor.callLater(HANGS_FOR, self._kill)
            _log.warn(
                "worker {worker} (process {pid}) hangs: it has not answered for {within:g} s; if "
                "it does not within {more:g} s, it is killed and replaced",
                worker=self.number,
                pid=self.pid,
                within=ANSWER_WITHIN,
                more=HANGS_FOR,
            )
        return failure

    def _heard(self) -> None:
        self._heard_at = self._reactor.seconds()
        self._let_live()
        if self.state is WorkerState.HANGING:
            _log.info("worker {worker} answers again", worker=self.number)
        self.state = WorkerState.ANSWERING

    def _let_live(self) -> None:
        if self._kill_later is not None and self._kill_later.active():
            self._kill_later.cancel()
        self._kill_later = None

    def _kill(self) -> None:
        silent = self._reactor.seconds() - self._heard_at
        _log.error(
            "worker {worker} has not answered for {silent:.0f} s, and is killed",
            worker=self.number,
            silent=silent,
        )
        self._child.kill()

    # What it says.

    def _said(self, line: bytes) -> None:
        if self.state is WorkerState.BROKEN:
            return
        try:
            answer = json.loads(line)
            if not isinstance(answer, dict):
                raise ValueError("it is no object")
            if "final" not in answer:
                waiting = self._asked.popleft()
        except (ValueError, IndexError, RecursionError):
            # Which question the next line would answer is not known any more.
            self.state = WorkerState.BROKEN
            self._complain(f"says what is no answer, and is killed: {line[:100]!r}")
            self._child.kill()
            return
        if "final" in answer:
            self._finished(answer["final"])
        else:
            self._heard()
            waiting.callback(answer)

    def _finished(self, final: Any) -> None:
        try:
            snapshot = Snapshot.from_json(final["statistics"])
            counted(final["open_at_stop"])
            counted(final["lag"])
        except (ValueError, LookupError, TypeError, AttributeError) as problem:
            self._complain(
                "ends with counters that this version cannot use "
                f"({type(problem).__name__}: {problem!s:.200})"
            )
            return
        self.final, self.snapshot = final, snapshot

    def _logged(self, line: bytes) -> None:
        level, text = logged(line)
        _log.emit(level, "worker {worker}: {text}", worker=self.number, text=text)

    # Its end.

    def reload(self) -> None:
        """Have it load the certificates again."""
        self._child.send_signal("HUP")

    def stop(self, within: float) -> Deferred[int]:
        """Have it end in order, and kill it after ``within`` seconds.

        If it hangs, it has `ANSWER_WITHIN` to answer again.
        """
        hangs = self.state is WorkerState.HANGING
        if hangs and self._kill_later is not None and self._kill_later.active():
            left = self._kill_later.getTime() - self._reactor.seconds()
            self._kill_later.reset(min(left, ANSWER_WITHIN))
        return self._child.stop(within)

    def _has_ended(self, returncode: int) -> str:
        self._let_live()
        # Whoever waits for an answer may ask again at once: a page whose next request has arrived.
        while self._asked:
            self._asked.popleft().cancel()
        if returncode < 0:
            return f"ended by signal {-returncode}"
        return f"exited with status {returncode}"
