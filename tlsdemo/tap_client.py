"""``twistd tlsclient``: the load client's options and service, where twistd finds them."""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.application.service import IService
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import provider

from tlsdemo.cli.contradictions import check
from tlsdemo.cli.daemon_start import DaemonStart
from tlsdemo.cli.endpoint_strings import EndpointString, check_client_endpoint
from tlsdemo.cli.hangup import Hangup
from tlsdemo.cli.load_contradictions import LOAD_CONTRADICTIONS
from tlsdemo.cli.load_options import LOAD_BOUNDS, LOAD_PARAMETERS, SENDS, LoadOptions
from tlsdemo.cli.option_groups import Group
from tlsdemo.cli.options import choice, fail, named
from tlsdemo.cli.shard_contradictions import SHARD_CONTRADICTIONS
from tlsdemo.cli.shard_options import ShardOptions
from tlsdemo.cli.sharded_load import (
    ArrangedLoad,
    cluster_load,
    read_shard,
    shard_load,
    status_of,
    write_plan,
    write_whole,
)
from tlsdemo.cli.standard_output import NOT_WRITTEN_STATUS, SIGPIPE_STATUS
from tlsdemo.cli.suggestions import one_of
from tlsdemo.cli.twistd_files import check_twistd_files, in_foreground
from tlsdemo.loadgen.controller import Controller, LoadPhase
from tlsdemo.loadgen.load_service import LoadService, RunsLoad
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.net.runtime_folder import status_endpoint
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.load_progress import LoadProgress
from tlsdemo.reporting.objectives import verdicts
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.run_text import result_lines
from tlsdemo.reporting.terminal import console_of, print_line, write_line
from tlsdemo.tls import ModeName

CONNECT = "tcp:127.0.0.1:8899"

_log = PrintableLogger(namespace="tlsdemo")


class Options(ShardOptions, LoadOptions):
    """The options of ``twistd tlsclient``."""

    command = "twistd tlsclient"

    synopsis = "[options]"

    longdesc = (
        "Opens many connections to a tlsdemo server, upgrades each to TLS with a client "
        "certificate, and sends small packets as fast as flow control allows. At the end both "
        "sides print the number of bytes sent, received and lost. The exit status is 0 only if "
        "every connection was secured and no byte was lost. The server has --timeout for the "
        f"rest of the data; {LOAD_BOUNDS}"
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        *LOAD_PARAMETERS,
        ["connect", None, CONNECT, "Client endpoint string of the server."],
        ["server-name", None, None, "Name or address for which the server's certificate must be "
         "valid. [default: the host in --connect]"],
        ["mode", None, None, "How the clients secure their connections: starttls, pair, wrapped or "
         "clear. "
         "[default: starttls]", choice(ModeName)],
        ["send", None, "raw", "raw: each packet becomes a TLS record; buffered: small writes are "
         "joined, as startTLS does; stock: the mode's default.", one_of(SENDS)],
        ["json", None, None, "Also write the results to this file."],
        ["status", None, None, "Client endpoint string of the server's status service; none for "
         "a server that is not tlsdemo. [default: that of this user's server on the same port]"],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["background", None, "Run as a daemon, as twistd does with other services."],
    ]

    groups: ClassVar[Mapping[Group, str]] = {
        Group.LISTENING: "connect",
        Group.TLS: "server-name mode send",
        Group.LOGGING: "status json background",
    }

    essential = "connect server-name mode cert key ca dialect conn duration scenario"

    def postOptions(self) -> None:
        """Validate the options together, and keep twistd in the foreground."""
        from twisted.internet import reactor

        super().postOptions()
        self["mode"] = self["mode"] or ModeName.STARTTLS
        check(self, LOAD_CONTRADICTIONS)
        check(self, SHARD_CONTRADICTIONS)
        self.check_shard()
        check_client_endpoint(reactor, "connect", self["connect"])
        if self["status"] is None:
            self["status"] = usual_status(self["connect"])
        elif self["status"] == "none":
            self["status"] = None
        else:
            check_client_endpoint(reactor, "status", self["status"])
        if self["server-name"] is None:
            self["server-name"] = host_of(self["connect"])
        self._set_twistd_options()
        check_twistd_files(self.command, self.parent)

    def summary(self) -> str:
        """Return in a few words what is done."""
        if self["plan"] is not None:
            return "shard {} of {} of {}".format(*self["shard"], self["plan"])
        return f"{self['conn']:,} connections to {self['connect']}"

    def _set_twistd_options(self) -> None:
        """Run in the foreground, unless twistd's own options say otherwise."""
        parent = self.parent
        if self["background"] or parent is None or "nodaemon" not in parent:
            return
        parent["nodaemon"] = True
        # A server in the same directory has the default pid file.
        if parent["pidfile"] == "twistd.pid":
            parent["pidfile"] = ""
        if not parent["logfile"] and not parent["logger"]:
            parent["logger"] = "tlsdemo.tap_client.log_to_standard_error"


def usual_status(connect: str) -> str | None:
    """Return where the status service of this user's server is that listens at ``connect``.

    ``None`` if that is not a TCP port of this machine.

    >>> usual_status("tcp:host=127.0.0.1:port=8899").rpartition("/")[2]
    'status-8899'
    >>> usual_status("tcp:example.org:8899")
    """
    host, port = _host_and_port(connect)
    here = host in ("localhost", "::1") or host.startswith("127.")
    return status_endpoint(int(port)) if here and port.isdecimal() else None


def host_of(connect: str) -> str:
    """Return the host in a client endpoint string, or ``localhost`` if it has none.

    >>> host_of("tcp:host=example.org:port=25")
    'example.org'
    """
    return _host_and_port(connect)[0] or "localhost"


def _host_and_port(connect: str) -> tuple[str, str]:
    """Return the host and the port in a client endpoint string, empty if it has none."""
    endpoint = EndpointString.split(connect)
    if endpoint.kind not in ("tcp", "tls", "ssl"):
        return "", ""
    missing = [name for name in ("host", "port") if name not in endpoint.named]
    given = {**dict(zip(missing, endpoint.arguments, strict=False)), **endpoint.named}
    return given.get("host", ""), given.get("port", "")


@provider(ILogObserver)
def _to_standard_error(event: LogEvent) -> None:
    """Print warnings and errors; the progress and the result are printed elsewhere."""
    level = event.get("log_level")
    if level is not None and level >= LogLevel.warn:
        # twistd redirects sys.stderr to the log, which would come here.
        write_line(sys.__stderr__, f"tlsclient: {formatEvent(event)}")
        failure = event.get("log_failure")
        if failure is not None:
            for line in failure.getTraceback().splitlines():
                write_line(sys.__stderr__, line)


def log_to_standard_error() -> ILogObserver:
    """Return the log observer, for twistd's option ``--logger``."""
    return _to_standard_error  # type: ignore[no-any-return, unused-ignore]


def exit_with(status: int) -> None:
    """Make the process end with ``status``, for which twistd has no option."""

    def end_process() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    atexit.register(end_process)


class _Load(LoadService):
    def __init__(
        self,
        reactor: Any,
        controller: RunsLoad,
        finished: Callable[[RunResult | None], object],
        options: Options,
    ) -> None:
        super().__init__(reactor, controller, finished)
        self._options = options
        self._start: DaemonStart | None = None

    def setServiceParent(self, parent: Any) -> None:
        """Join twistd's application, while standard error is still the terminal."""
        if self._options["background"] and self._options.parent is not None:
            self._start = DaemonStart(self._options.command, self._options.parent)
        super().setServiceParent(parent)

    def startService(self) -> None:
        """Start, and say where a daemon's results will be."""
        super().startService()
        if self._start is not None:
            self._start.say(self._options.summary())


def makeService(options: Options) -> IService:
    """Make the load client that ``options`` describe, or end the process with an error message."""
    from twisted.internet import reactor

    parent = options.parent
    foreground = parent is not None and "nodaemon" in parent and in_foreground(parent)
    if foreground and sys.__stdout__ is None:
        fail(options.command, "cannot write to standard output: it is closed")
    # twistd redirects sys.stdout to the log.
    console = console_of(sys.__stdout__)
    progress = Progress(console_of(sys.__stderr__), "tlsclient")
    shown: LoadProgress

    def show(phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
        shown.show(phase.value, counters, elapsed)

    load: ArrangedLoad
    if options["plan"] is not None:
        shard = read_shard(reactor, options)
        shown = LoadProgress(progress, shard.load.connections, shard.load.windows[0].seconds)
        status = status_of(options, shard.load, usual_status)
        load = shard_load(reactor, options, shard, status, show)
    else:
        task = options.task(options["connect"], options["mode"], options["server-name"])
        packets = options.packets_to_send()
        shown = LoadProgress(progress, task.connections, options["duration"], packets)
        parts = options.parts(task)
        if options["write-plan"] is not None:
            write_plan(options, parts)
        if options["cluster"] is not None:
            load = cluster_load(reactor, options, parts, show)
        else:
            name = f"tlsclient-{os.getpid()}"
            load = ArrangedLoad(
                Controller(reactor, name, parts, options.workers(), options.plan(),
                           options["status"], show)
            )  # fmt: skip

    def finished(result: RunResult | None) -> None:
        judged = [] if result is None else [*verdicts(options["check"], result)]
        held = all(holds for holds, _ in judged)
        if result is None or not result.complete or result.lost or not held:
            exit_with(1)
        progress.clear()
        unwritten = []
        if result is not None and options["json"] is not None:
            unwritten = written(Path(options["json"]), result)
        hopeless = load.unusable() or (result is not None and result.hopeless)
        if hopeless:
            exit_with(2)
            assert sys.__stderr__ is not None
            write_line(sys.__stderr__, f"tlsclient: {hopeless}")
            return
        lines = [] if result is None else [*load.lines(), *result_lines(result)]
        lines += [f"check {verdict}" for _, verdict in judged]
        lines += unwritten
        for line in lines:
            # A daemon has no terminal.
            _log.info("{line}", line=line)
        try:
            for line in lines:
                print_line(console, line)
        except BrokenPipeError:
            exit_with(SIGPIPE_STATUS)
        except OSError as problem:
            exit_with(NOT_WRITTEN_STATUS)
            why = f"cannot write to standard output: {problem.strerror}"
            write_line(sys.__stderr__, f"tlsclient: {why}")

    def written(path: Path, result: RunResult) -> list[str]:
        try:
            write_whole(path, json.dumps(load.document(result), indent=2) + "\n")
        except OSError as problem:
            exit_with(2)
            return [f"--json is {str(path)!r}: {problem.strerror}"]
        return []

    Hangup(reactor, foreground).install()
    return _Load(reactor, load.controller, finished, options)
