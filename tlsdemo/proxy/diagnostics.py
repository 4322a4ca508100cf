"""What a service writes down of single connections, beside its statistics and its log."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.logger import Logger

from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.proxy.trace_file import TraceFile
from tlsdemo.tls import KeyLog
from tlsdemo.tls.contexts import Preparation
from tlsdemo.tls.handshake_observation import observe_states

_log = Logger(namespace="tlsdemo")


@dataclass(frozen=True)
class Diagnostics:
    """Nothing, unless it is asked for.

    ``log_events``: all events of those connections that are logged, and what is true at each.
    ``trace_file``: events and records of single connections, to a file.  ``keylog``: the secrets of
    all connections, to a file (SSLKEYLOGFILE format).
    """

    log_events: bool = False
    trace_file: TraceFile | None = None
    keylog: AppendOnlyFile | None = None

    @property
    def preparations(self) -> list[Preparation]:
        """What has to be done to each TLS context for it."""
        wanted: list[Preparation] = []
        if self.log_events or self.trace_file is not None:
            wanted.append(observe_states)
        if self.keylog is not None:
            wanted.append(KeyLog(self.keylog.append))
        return wanted

    def begin(self) -> None:
        """Say what is written down, and what it gives away."""
        if self.trace_file is not None:
            _log.info(
                "events and records of connections are written to {file}",
                file=str(self.trace_file.file.path),
            )
        if self.keylog is not None:
            _log.critical(
                "UNSAFE: the secrets of all connections are written to {file}; whoever has it can "
                "read what they carried.",
                file=str(self.keylog.path),
            )

    def end(self) -> None:
        """Write what is left to be written."""
        if self.trace_file is not None:
            self.trace_file.file.close()
        if self.keylog is not None:
            self.keylog.close()


NO_DIAGNOSTICS = Diagnostics()
"""Nothing is written down."""
