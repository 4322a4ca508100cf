"""``twistd tlsclient``: the load client's options and service, where twistd finds them."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.console import Console
from twisted.application.service import IService
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import provider

from tlsdemo.cli.client_service import ClientService
from tlsdemo.cli.config_options import ConfigOptions
from tlsdemo.cli.contradictions import check
from tlsdemo.cli.endpoint_strings import check_client_endpoint
from tlsdemo.cli.hangup import Hangup
from tlsdemo.cli.load_contradictions import LOAD_CONTRADICTIONS
from tlsdemo.cli.load_options import LOAD_BOUNDS, LOAD_PARAMETERS, SENDS, LoadOptions
from tlsdemo.cli.load_reports import LoadReports, LoadRun, titled
from tlsdemo.cli.option_groups import Group
from tlsdemo.cli.options import choice, fail, named
from tlsdemo.cli.readiness_run import conclude, readiness_of
from tlsdemo.cli.report_options import ReportOptions
from tlsdemo.cli.shard_contradictions import SHARD_CONTRADICTIONS
from tlsdemo.cli.shard_options import ShardOptions
from tlsdemo.cli.sharded_load import SharedLoad, cluster_load, shard_load, write_plan
from tlsdemo.cli.standard_output import NOT_WRITTEN_STATUS, SIGPIPE_STATUS
from tlsdemo.cli.suggestions import one_of
from tlsdemo.cli.target_names import host_of, usual_status
from tlsdemo.cli.twistd_files import check_twistd_files, in_foreground
from tlsdemo.lab.compare.interleaving import ScheduledRun, interleaved_runs
from tlsdemo.loadgen.controller import Controller, LoadPhase
from tlsdemo.loadgen.load_series import LoadSeries
from tlsdemo.loadgen.load_service import Load, LoadService
from tlsdemo.loadgen.schedule import Task
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.objectives import verdicts
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.readiness_result import CheckResult
from tlsdemo.reporting.run_comparison import comparison_lines
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.run_text import result_lines
from tlsdemo.reporting.terminal import console_of, print_line, write_line
from tlsdemo.tls import ModeName

CONNECT = "tcp:127.0.0.1:8899"

_log = PrintableLogger(namespace="tlsdemo")


class Options(ConfigOptions, ShardOptions, ReportOptions, LoadOptions):
    """The options of ``twistd tlsclient``."""

    command = "twistd tlsclient"

    synopsis = "[options]"

    longdesc = (
        "Opens many connections to a server, upgrades each to TLS with a client "
        "certificate, and does what --scenario says, by default: sends small packets as fast as "
        "flow control allows. At the end both sides print the number of bytes sent, received and "
        "lost; give --status=none for a server that is not tlsdemo. The exit status is 0 only if "
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
        ["status", None, None, "Client endpoint string of the server's status service; none for "
         "a server that is not tlsdemo. [default: that of this user's server on the same port]"],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["background", None, "Run as a daemon, as twistd does with other services."],
    ]

    groups: ClassVar[Mapping[Group, str]] = {
        Group.LISTENING: "connect",
        Group.TLS: "server-name mode send",
        Group.LOGGING: "status background",
    }

    essential = "connect status mode ca dialect conn duration scenario rate check"

    def postOptions(self) -> None:
        """Validate the options together, and keep twistd in the foreground."""
        from twisted.internet import reactor

        super().postOptions()
        self["mode"] = self["mode"] or ModeName.STARTTLS
        check(self, LOAD_CONTRADICTIONS)
        check(self, SHARD_CONTRADICTIONS)
        self.check_shard()
        check_client_endpoint(reactor, "connect", self["connect"])
        if self["versus"] is not None:
            check_client_endpoint(reactor, "versus", self["versus"])
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

    def targets(self) -> list[str]:
        """Return the client endpoint strings of the servers."""
        return [self["connect"], *([] if self["versus"] is None else [self["versus"]])]

    def status_of(self, target: str) -> str | None:
        """Return where the status service of a target is, or ``None`` if it has none."""
        if target == self["connect"] or self.is_given("status"):
            status: str | None = self["status"]
            return status
        return usual_status(target)

    def server_name_of(self, target: str) -> str:
        """Return the name for which the certificate of a target must be valid."""
        own = self.is_given("server-name") or target == self["connect"]
        return str(self["server-name"]) if own else host_of(target)

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


def _print(console: Console, lines: Sequence[str]) -> None:
    """Log the lines of a result, and print them."""
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


def _readiness(
    reactor: Any, options: Options, task: Task, console: Console, progress: Progress
) -> IService:
    """Make the service of a scenario that is no load."""

    def finished(results: Sequence[CheckResult] | None) -> None:
        progress.clear()
        status, error, lines = conclude(options["json"], task, results or ())
        if status:
            exit_with(status)
        if error:
            write_line(sys.__stderr__, f"tlsclient: {error}")
        _print(console, lines)

    return LoadService(reactor, readiness_of(reactor, options, task, progress), finished)


def makeService(options: Options) -> IService:
    """Make the load client that ``options`` describe, or end the process with an error message."""
    from twisted.internet import reactor

    parent = options.parent
    foreground = parent is not None and "nodaemon" in parent and in_foreground(parent)
    if foreground and sys.__stdout__ is None:
        fail(options.command, "cannot write to standard output: it is closed")
    shared: SharedLoad | None = None
    tasks: dict[str, Task] = {}
    workers, targets = 0, options.targets()
    if options["plan"] is not None:
        shared = shard_load(reactor, options)
        targets = [shared.target]
    else:
        # Whether this machine can have them does not matter to the load of others.
        elsewhere = options.readiness or options["cluster"] or options["write-plan"]
        workers = 0 if elsewhere else options.workers()
        # Those of every target, so that what is wrong is said before the first load.
        tasks = {
            target: options.task(target, options["mode"], options.server_name_of(target))
            for target in targets
        }
        if options["write-plan"] is not None:
            write_plan(options, options.parts(tasks[targets[0]]))
        if options["cluster"] is not None:
            shared = cluster_load(reactor, options, options.parts(tasks[targets[0]]))
    # twistd redirects sys.stdout to the log.
    console = console_of(sys.__stdout__)
    progress = Progress(console_of(None if options["quiet"] else sys.__stderr__), "tlsclient")
    if options.readiness:
        Hangup(reactor, foreground).install()
        (task,) = tasks.values()
        return _readiness(reactor, options, task, console, progress)
    reports = LoadReports(options)
    turns = [*interleaved_runs([None], targets, options["repeat"])]

    def controller(turn: ScheduledRun[None]) -> Load:
        number = turns.index(turn) + 1
        if len(turns) > 1:
            progress.title = f"tlsclient {number} of {len(turns)}"
        parts = shared.parts if shared else options.parts(tasks[turn.environment])
        shown = shared.progress(progress) if shared else options.load_progress(progress, parts)

        def show(phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
            shown.show(phase.value, counters, elapsed)

        def interval(each: Interval) -> None:
            shown.interval(each)
            reports.interval(number, each)

        if shared is not None:
            return shared.make(show, shown.window, interval)
        return Controller(
            reactor,
            f"tlsclient-{os.getpid()}{f'-{number}' if len(turns) > 1 else ''}",
            parts,
            workers,
            options.plan(),
            options.status_of(turn.environment),
            show,
            shown.window,
            interval,
        )

    def finished(results: list[tuple[ScheduledRun[None], RunResult]] | None) -> None:
        runs = [LoadRun(turn.environment, turn.round, result) for turn, result in results or ()]
        judged = [
            (holds, f"{title}: {text}" if len(runs) > 1 else text)
            for title, result in titled(runs).items()
            for holds, text in verdicts(options["check"], result, bool(options["find-max"]))
        ]
        if (
            len(runs) < len(turns)
            or any(not run.result.complete or run.result.lost for run in runs)
            or not all(holds for holds, _ in judged)
        ):
            exit_with(1)
        progress.clear()
        why = shared.unusable() if shared else None
        if shared is not None and runs and not why:
            reports.header = shared.header(runs[0].result)
        hopeless = why or (runs and runs[0].result.hopeless)
        if hopeless:
            exit_with(2)
            if reports.header and not why:
                # For tlsdemo merge.
                reports.write(runs, judged)
            write_line(sys.__stderr__, f"tlsclient: {hopeless}")
            return
        reports.write(runs, judged)
        if reports.problems:
            exit_with(2)
        lines = [*shared.lines()] if shared else []
        for title, result in titled(runs).items():
            lines += [f"{title}:"] if len(runs) > 1 else []
            lines += result_lines(result)
        if options["versus"] is not None and len(runs) == len(turns):
            for compared in reports.comparisons(runs):
                lines += comparison_lines(compared)
        lines += [f"check {text}" for _, text in judged]
        lines += reports.problems
        _print(console, lines)

    Hangup(reactor, foreground).install()
    return ClientService(reactor, LoadSeries(turns, controller), finished, options)
