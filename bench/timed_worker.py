"""A worker of the load client that also keeps each handshake's time, by its own port.

``python -m bench.timed_worker FILE`` writes a line for each to FILE when its input has ended: the
port, and the milliseconds.  Everything else is as in `tlsdemo.loadgen.worker`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

from tlsdemo.loadgen import worker
from tlsdemo.loadgen.application import LoadApplication
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.load_connection import LoadConnection
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.reporting.latencies import HANDSHAKE


class TimedRecorder(Recorder):
    """Knows the last handshake's time in seconds."""

    handshake = 0.0

    def record(self, name: str, due: float, since: float | None = None) -> None:
        """Record a latency, and note that of a handshake."""
        if name.startswith(HANDSHAKE) and since is not None:
            self.handshake = self.now() - since
        super().record(name, due, since)


class TimedPool(ConnectionPool):
    """Notes the time of each handshake."""

    times: ClassVar[list[tuple[int, float]]] = []

    def application(self, connection: LoadConnection) -> LoadApplication:
        """Note the time of a handshake that has just been recorded."""
        protocol: Any = connection.protocol
        recorder: Any = self.recorder
        self.times.append((protocol.transport.getHost().port, recorder.handshake))
        return super().application(connection)


def main() -> None:
    """Run the worker, then write the file."""
    replaced: Any = worker
    replaced.Recorder, replaced.ConnectionPool = TimedRecorder, TimedPool
    worker.main()
    lines = (f"{port} {seconds * 1e3}\n" for port, seconds in TimedPool.times)
    Path(sys.argv[1]).write_text("".join(lines))


if __name__ == "__main__":
    main()
