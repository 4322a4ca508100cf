"""The options of a server for diagnostics of individual connections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.interfaces import IReactorTime
from twisted.python import usage

from tlsdemo.cli.option_groups import Group
from tlsdemo.cli.options import choice, fail, whole
from tlsdemo.cli.server_log import LogFormat
from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.net.private_file import CannotOpen
from tlsdemo.proxy.diagnostics import Diagnostics
from tlsdemo.proxy.trace_file import TraceFile, TraceFormat, begin_file
from tlsdemo.tls import versions
from tlsdemo.trace.timeline import Fact

DIAGNOSTICS_PARAMETERS: list[list[Any]] = [
    ["log-format", None, None, "text, or json: an object on each line of the log, with its time, "
     "level, message and fields. [default: text]", choice(LogFormat)],
    ["trace", None, None, "Append the events and TLS records of connections to this file, as lines "
     "of JSON; tlsdemo sequence-diagram draws them."],
    ["trace-format", None, None, "json: lines of JSON, for sequence-diagram; or qlog: JSON text "
     "sequences by draft-ietf-quic-qlog-main-schema, for tools of others. [default: json]",
     choice(TraceFormat)],
    ["trace-every", None, 1, "Trace one connection in this many, beginning with the first.",
     whole(1)],
    ["trace-max", None, 256 << 20, "Maximum size of the --trace file in bytes; 0 for no limit.",
     whole(0)],
    ["trace-each", None, 1 << 20, "Maximum size of the trace of one connection in bytes, so that "
     "one client cannot fill the --trace file; 0 for no limit.", whole(0)],
    ["keylog", None, None, "Append the TLS secrets of all connections to this file (SSLKEYLOGFILE "
     "format), for Wireshark. Anyone who has the file can decrypt the connections."],
]  # fmt: skip


class DiagnosticsOptions(usage.Options):
    """A mixin for the options of a server."""

    command: ClassVar[str]

    optFlags: ClassVar[list[list[str | None]]] = [
        ["log-events", None, "Log all events of the connections selected by --log-first and "
         "--log-every, and the state at each event: whether the peer's certificate is available, "
         "the ALPN protocol, whether our last flight has been written, and whether a write would "
         "be sent now."],
    ]  # fmt: skip

    groups: ClassVar[Mapping[Group, str]] = {
        Group.LOGGING: "log-events log-format trace trace-format trace-every trace-max trace-each "
        "keylog",
    }

    def check_log(self) -> None:
        """Raise UsageError if the log of twistd cannot have its format."""
        self["log-format"] = self["log-format"] or LogFormat.TEXT
        if self["log-format"] is LogFormat.JSON and self.parent is not None:
            for name in ("syslog", "logger"):
                if self.parent[name]:
                    raise usage.UsageError(
                        f"--log-format is json, and twistd --{name} writes the log in its own "
                        "format; leave one away"
                    )

    def diagnostics(self, clock: IReactorTime, mode: str) -> Diagnostics:
        """Open the files; ends the process with one line if one cannot be opened."""
        try:
            return Diagnostics(
                bool(self["log-events"]), self._trace_file(clock, mode), self._keylog(clock)
            )
        except CannotOpen as problem:
            fail(self.command, problem)

    def _trace_file(self, clock: IReactorTime, mode: str) -> TraceFile | None:
        if self["trace"] is None:
            return None
        file = AppendOnlyFile("trace", Path(self["trace"]), clock, self["trace-max"])
        facts: dict[str, Fact] = {"mode": mode, **versions()}
        trace_format = self["trace-format"] or TraceFormat.JSON
        begin_file(file, trace_format)
        return TraceFile(
            file, self["trace-every"], self["trace-each"], facts, trace_format=trace_format
        )

    def _keylog(self, clock: IReactorTime) -> AppendOnlyFile | None:
        if self["keylog"] is None:
            return None
        # Without delay: Wireshark needs the secrets while the connection is open.
        return AppendOnlyFile("keylog", Path(self["keylog"]), clock, max_delay=0.0)
