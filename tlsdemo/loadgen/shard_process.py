"""A process that runs one shard, ``python -m tlsdemo.loadgen.shard_process``, for a Dask worker.

A reactor wants the main thread of a process, which in a Dask worker belongs to Dask.  It reads and
writes JSON lines.  Input: first the shard, its credentials and the status service; then
``{"start_at": …}`` in seconds since the epoch, once it has said ``{"ready": true}``; and at any
time ``{"stop": true}`` or ``{"abort": true}``.  Output: then a report every `REPORT_EVERY`
seconds, ::

    {"phase": …, "counters": …, "elapsed": …, "window": …, "latencies": …}

whose latencies are those of the current window until then, and at last ``{"result": …}``, the
document of the shard, or ``{"problem": …}``.  It ends when its input does, so it does not outlive
what has started it.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from tlsdemo.certificates.files import PASSPHRASE, Credentials
from tlsdemo.loadgen.controller import LoadPhase
from tlsdemo.loadgen.shard import Shard
from tlsdemo.loadgen.shard_run import ShardRun
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult

REPORT_EVERY = 1.0
"""Seconds between two reports, at least."""

TOLD_WITHIN = 120.0
"""Seconds after which it waits no longer to be told when it starts."""

LONGEST_LINE = 1 << 26


class ShardProcess(LineOnlyReceiver):
    """Runs the shard that its input says, and reports.

    ``now`` returns the seconds since the epoch.
    """

    delimiter = b"\n"
    MAX_LENGTH = LONGEST_LINE

    def __init__(self, reactor: Any, now: Callable[[], float]) -> None:
        self._reactor = reactor
        self._now = now
        self._run: ShardRun | None = None
        self._reported = float("-inf")

    def lineReceived(self, line: bytes) -> None:
        """Take the shard, its start, or its end."""
        message = json.loads(line)
        if self._run is None:
            self._prepare(message)
        elif "start_at" in message:
            self._waiting.cancel()
            self._run.controller.agree_to_start(message["start_at"])
        elif message.get("stop"):
            self._run.controller.stop()
        elif message.get("abort"):
            self._run.controller.abort()

    def _prepare(self, task: Mapping[str, Any]) -> None:
        try:
            self._run = run = ShardRun(
                self._reactor,
                Shard.from_json(task["shard"]),
                credentials_from(task["credentials"]),
                task["status"],
                None,
                self._progress,
                on_ready=lambda: self._say(ready=True),
                now=self._now,
            )
        except Exception as problem:
            self._say(problem=f"{type(problem).__name__}: {problem}")
            return
        self._waiting = self._reactor.callLater(TOLD_WITHIN, self._not_told)
        done = Deferred.fromCoroutine(run.controller.run())
        done.addCallback(self._done, run)
        done.addErrback(lambda failure: self._say(problem=failure.getErrorMessage()))

    def _not_told(self) -> None:
        assert self._run is not None
        self._run.controller.stop(f"it was not told within {TOLD_WITHIN:g} s when to start")

    def _done(self, result: RunResult, run: ShardRun) -> None:
        self._say(result=run.result(result).as_json())

    def _progress(self, phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
        started = phase not in (LoadPhase.STARTING, LoadPhase.OVER)
        if self._run is None or not started or self._now() < self._reported + REPORT_EVERY:
            return
        self._reported = self._now()
        window, latencies = self._run.controller.measured_so_far()
        self._say(
            phase=phase.value,
            counters=counters.as_json(),
            elapsed=elapsed,
            window=window,
            latencies=latencies.as_json(),
        )

    def _say(self, **message: object) -> None:
        self.sendLine(json.dumps(message).encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Exit: what has started this process has ended, or needs it no more."""
        if self._reactor.running:
            self._reactor.stop()


def credentials_as_json(credentials: Credentials) -> dict[str, str | None]:
    """Return the paths of credentials for JSON, without the passphrase."""
    named = {"cert": credentials.certificate, "key": credentials.key, "ca": credentials.authority}
    return {name: None if path is None else str(path) for name, path in named.items()}


def credentials_from(values: Mapping[str, str | None]) -> Credentials:
    """Return the credentials of this machine at the paths of :func:`credentials_as_json`.

    A passphrase is that of our environment.
    """
    cert, key, ca = (
        None if path is None else Path(path) for path in map(values.get, ("cert", "key", "ca"))
    )
    passphrase = os.environ.get(PASSPHRASE)
    return Credentials(cert, key, ca, None if passphrase is None else passphrase.encode())


def main() -> None:
    """Run until standard input ends."""
    from twisted.internet import reactor

    # Ctrl-C reaches every process of a terminal, but it is for the command to react to it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_descriptor_limit()
    StandardIO(ShardProcess(reactor, time.time), reactor=reactor)
    reactor.run(installSignalHandlers=False)  # type: ignore[call-arg]


if __name__ == "__main__":
    main()
