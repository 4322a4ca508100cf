"""The options that say what a server writes down of single connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.interfaces import IReactorTime
from twisted.python import usage

from tlsdemo.cli.options import fail, whole
from tlsdemo.net.append_only_file import AppendOnlyFile, CannotOpen
from tlsdemo.proxy.diagnostics import Diagnostics
from tlsdemo.proxy.trace_file import TraceFile
from tlsdemo.tls import versions

DIAGNOSTICS_PARAMETERS: list[list[Any]] = [
    ["trace", None, None, "Append the events and records of connections to this file, as lines of "
     "JSON; tlsdemo waterfall draws them."],
    ["trace-every", None, 1, "Trace the first connection and each so-manieth.", whole(1)],
    ["trace-max", None, 256 << 20, "Bytes that --trace's file may grow to; 0 for any number.",
     whole(0)],
    ["keylog", None, None, "Append the secrets of all connections to this file (SSLKEYLOGFILE "
     "format), for Wireshark: whoever has it can read what they carried."],
]  # fmt: skip


class DiagnosticsOptions(usage.Options):
    """A mixin for the server's options."""

    command: ClassVar[str]

    optFlags: ClassVar[list[list[str | None]]] = [
        ["log-events", None, "Log all events of the connections that --log-first and --log-every "
         "choose, and what is true at each: the peer's certificate is there, which ALPN was agreed "
         "on, our last flight has been written, a write would go out now."],
    ]  # fmt: skip

    def diagnostics(self, clock: IReactorTime, mode: str) -> Diagnostics:
        """Open what is written to; ends the process with one line if that is not possible."""
        try:
            return Diagnostics(
                bool(self["log-events"]), self._trace_file(clock, mode), self._keylog(clock)
            )
        except CannotOpen as problem:
            fail(self.command, problem, status=1)

    def _trace_file(self, clock: IReactorTime, mode: str) -> TraceFile | None:
        if self["trace"] is None:
            return None
        file = AppendOnlyFile("trace", Path(self["trace"]), clock, self["trace-max"])
        return TraceFile(file, self["trace-every"], {"mode": mode, **versions()})

    def _keylog(self, clock: IReactorTime) -> AppendOnlyFile | None:
        if self["keylog"] is None:
            return None
        # At once: whoever looks at a connection with Wireshark does it while it lasts.
        return AppendOnlyFile("keylog", Path(self["keylog"]), clock, max_delay=0.0)
