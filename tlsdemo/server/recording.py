"""What a service writes down of single connections, beside its statistics and its log."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.logger import Logger

from tlsdemo.secure import KeyLog
from tlsdemo.secure.contexts import Preparation
from tlsdemo.secure.watch import watch_states
from tlsdemo.server.linefile import LineFile
from tlsdemo.server.tracing import Tracing

_log = Logger(namespace="tlsdemo")


@dataclass(frozen=True)
class Recording:
    """Nothing, unless it is asked for.

    ``log_events``: all events of those connections that are logged, and what is true at each.
    ``tracing``: events and records of single connections, to a file.  ``keylog``: the secrets of
    all connections, to a file (SSLKEYLOGFILE format).
    """

    log_events: bool = False
    tracing: Tracing | None = None
    keylog: LineFile | None = None

    @property
    def preparations(self) -> list[Preparation]:
        """What has to be done to each TLS context for it."""
        wanted: list[Preparation] = []
        if self.log_events or self.tracing is not None:
            wanted.append(watch_states)
        if self.keylog is not None:
            wanted.append(KeyLog(self.keylog.append))
        return wanted

    def begin(self) -> None:
        """Say what is written down, and what it gives away."""
        if self.tracing is not None:
            _log.info(
                "events and records of connections are written to {file}",
                file=str(self.tracing.file.path),
            )
        if self.keylog is not None:
            _log.critical(
                "UNSAFE: the secrets of all connections are written to {file}; whoever has it can "
                "read what they carried.",
                file=str(self.keylog.path),
            )

    def end(self) -> None:
        """Write what is left to be written."""
        if self.tracing is not None:
            self.tracing.file.close()
        if self.keylog is not None:
            self.keylog.close()


NOTHING = Recording()
"""Nothing is written down."""
