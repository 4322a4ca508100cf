"""Detailed records of single connections: events in the log, a trace file, a key log."""

from __future__ import annotations

from dataclasses import dataclass

from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.trace_file import TraceFile
from tlsdemo.tls import KeyLog
from tlsdemo.tls.contexts import Preparation
from tlsdemo.tls.handshake_observation import observe_states

_log = PrintableLogger(namespace="tlsdemo")


@dataclass(frozen=True)
class Diagnostics:
    """What is recorded of single connections; by default nothing.

    Attributes:
        log_events: Whether the connections that are logged are logged with all events and the
            state at each.
        trace_file: Receives the events and TLS records of single connections.
        keylog: Receives the secrets of all connections (SSLKEYLOGFILE format).
    """

    log_events: bool = False
    trace_file: TraceFile | None = None
    keylog: AppendOnlyFile | None = None

    @property
    def preparations(self) -> list[Preparation]:
        """The preparations that each TLS context needs for this."""
        wanted: list[Preparation] = []
        if self.log_events or self.trace_file is not None:
            wanted.append(observe_states)
        if self.keylog is not None:
            wanted.append(KeyLog(self.keylog.append))
        return wanted

    def begin(self) -> None:
        """Log where the files are, and warn about what they reveal."""
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
        """Close the files."""
        if self.trace_file is not None:
            self.trace_file.file.close()
        if self.keylog is not None:
            self.keylog.close()


NO_DIAGNOSTICS = Diagnostics()
"""Nothing is recorded."""
