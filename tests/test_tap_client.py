from __future__ import annotations

import atexit
import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.logger import Logger, LogLevel, capturedLogs, globalLogPublisher
from twisted.python import log
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.cli.refusals import RefusingCase
from tests.reporting import load_results
from tests.support import certificates
from tlsdemo import tap_client
from tlsdemo.cli import load_options
from tlsdemo.cli.report_options import FILES
from tlsdemo.loadgen.controller import LoadPhase
from tlsdemo.net.child_process import environment
from tlsdemo.net.runtime_folder import status_endpoint
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.window_result import WindowResult
from tlsdemo.tap_client import exit_with, log_to_standard_error
from tlsdemo.tls import ModeName


class ClientCase(RefusingCase):
    def parse(self, *arguments: str, parent: Any = None) -> tap_client.Options:
        options = tap_client.Options()
        options.parent = parent
        options.parseOptions(arguments)
        return options


class ParsingTests(ClientCase):
    def test_by_default_it_connects_to_a_server_with_default_options(self) -> None:
        options = self.parse()
        self.assertEqual(options["connect"], "tcp:127.0.0.1:8899")
        self.assertEqual(options["status"], status_endpoint(8899))
        self.assertEqual(options["server-name"], "127.0.0.1")
        self.assertEqual((options["mode"], options["send"]), (ModeName.STARTTLS, "raw"))

    def test_the_server_name_defaults_to_the_host(self) -> None:
        self.assertEqual(self.parse("--connect=tcp:example.org:25")["server-name"], "example.org")

    def test_the_server_name_can_be_set(self) -> None:
        options = self.parse("--connect=tcp:192.0.2.1:25", "--server-name=example.org")
        self.assertEqual(options["server-name"], "example.org")

    def test_the_status_service_is_optional(self) -> None:
        self.assertIsNone(self.parse("--status=none")["status"])

    def test_the_short_option_n_is_the_number_of_connections(self) -> None:
        self.assertEqual(self.parse("-c", "17")["conn"], 17)

    def test_errors_are_one_line_with_the_option_and_the_value(self) -> None:
        for argument, expected in {
            "--conn=x": "--conn is 'x', not a whole number",
            "--workers=0": "--workers is '0', not between 1 and 1,024",
            "--mode=x": "--mode is 'x', none of starttls, pair, wrapped, clear",
            "--send=x": "--send is 'x', none of raw, buffered, stock",
            "--connect=x": "--connect is 'x', not an endpoint string",
            "--status=x": "--status is 'x', not an endpoint string",
            "--duration=": "--duration is '', not a number of seconds",
            "--nonsense": "option --nonsense not recognized",
            "2000": "'2000' is not understood",
        }.items():
            message = self.refused(lambda argument=argument: self.parse(argument))  # type: ignore[misc]
            self.assertTrue(message.startswith(f"twistd tlsclient: {expected}"), message)


class TwistdTests(ClientCase):
    """What it asks of twistd, whose options are the parent of ours."""

    def twistd(self, *arguments: str, **changes: Any) -> dict[str, Any]:
        parent: dict[str, Any] = {
            "nodaemon": 0, "pidfile": "twistd.pid", "logfile": None, "logger": None, **changes
        }  # fmt: skip
        self.parse(*arguments, parent=parent)
        return parent

    def test_by_default_it_stays_in_the_foreground_without_a_pid_file(self) -> None:
        self.assertEqual(
            self.twistd(),
            {
                "nodaemon": True,
                "pidfile": "",
                "logfile": None,
                "logger": "tlsdemo.tap_client.log_to_standard_error",
            },
        )

    def test_in_the_background_twistds_defaults_apply(self) -> None:
        parent = self.twistd("--background")
        self.assertEqual((parent["nodaemon"], parent["pidfile"]), (0, "twistd.pid"))
        self.assertIsNone(parent["logger"])

    def test_an_explicit_pid_file_is_kept(self) -> None:
        self.assertEqual(self.twistd(pidfile="mine.pid")["pidfile"], "mine.pid")

    def test_an_explicit_log_is_kept(self) -> None:
        self.assertIsNone(self.twistd(logfile="my.log")["logger"])
        self.assertEqual(self.twistd(logger="my.logger")["logger"], "my.logger")

    def test_it_can_be_used_without_twistd(self) -> None:
        self.parse(parent=None)
        other: dict[str, Any] = {}
        self.parse(parent=other)
        self.assertEqual(other, {})


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class QuitReader(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


class MakeServiceTests(ClientCase):
    def setUp(self) -> None:
        super().setUp()
        self.turns: list[Any] = []
        self.statuses: list[int] = []
        self.output = io.StringIO()
        self.patch(sys, "__stdout__", self.output)
        self.progress = io.StringIO()
        self.patch(sys, "__stderr__", self.progress)
        self.patch(tap_client, "exit_with", self.statuses.append)
        self.patch(load_options, "raise_descriptor_limit", lambda: 1 << 16)
        self.patch(tap_client, "Controller", lambda *arguments: arguments)
        self.patch(tap_client, "LoadSeries", lambda *arguments: arguments)
        self.patch(tap_client, "ClientService", lambda *arguments: arguments[:3])
        self.where = f"--certs={certificates().authority.parent.parent}"

    def make(self, *arguments: str) -> tuple[Any, ...]:
        made: Any = tap_client.makeService(self.parse(self.where, "--workers=3", *arguments))
        used, (self.turns, self.controller), self.finished = made
        self.assertIs(used, reactor)
        return self.controller(self.turns[0])  # type: ignore[no-any-return]

    def over(self, *results: RunResult) -> str:
        """End the loads, and return what is printed."""
        self.finished([*zip(self.turns, results, strict=False)])
        return self.output.getvalue()

    def end(self, arrived: int | None = 100, clean: int = 2) -> str:
        counters = LoadCounters(begun=2, secured=2, clean=clean, sent=100)
        return self.over(RunResult("name", 2, counters, 0.5, 1.0, arrived))

    def test_options_that_contradict_each_other_are_refused(self) -> None:
        for arguments, expected in {
            "--mode=clear --tls-min=1.3": "--tls-min is '1.3', and --mode=clear has no TLS",
            "--mode=clear --server-name=a": "--server-name is 'a', and --mode=clear has no TLS",
            "--mode=wrapped --dialect=smtp": "--dialect is 'smtp', and modes wrapped and clear do",
            "--mode=clear --dialect=smtp": "--dialect is 'smtp', and modes wrapped and clear do",
            "--packets=2 --duration=3": "--duration is '3', and --packets is 2",
            "--packets=2 --steps=5,6": "--steps is '5,6', and --packets is 2",
            "--prefill": "--prefill is given, which encrypts what --scenario=stream sends",
            "--prefill --packets=2 --scenario=churn": "--prefill is given, which encrypts what",
            "--prefill --packets=2 --rate=3": "--prefill is given, and all packets are sent at",
            "--prefill --packets=2 --send=stock": "--prefill is given, which makes a TLS record of",
            "--prefill --packets=2 --mode=clear": "--prefill is given, which makes a TLS record of",
            "--prefill --packets=9999999": "--prefill is given, and all packets together would be "
            "more than 1,073,741,824 bytes",
        }.items():
            message = self.refused(lambda each=arguments: self.parse(*each.split()))  # type: ignore[misc]
            self.assertTrue(message.startswith(f"twistd tlsclient: {expected}"), message)

    def test_the_run_has_the_settings_of_the_options(self) -> None:
        run = self.make("--conn=2", "--mode=pair", "--duration=7", "--status=unix:a",
                        "--connect=tcp:localhost:25")  # fmt: skip
        _, name, (task,), workers, plan, status, *_ = run
        self.assertRegex(name, r"^tlsclient-\d+$")
        self.assertEqual((task.connections, task.mode, task.connect, task.server_name),
                         (2, "pair", "tcp:localhost:25", "localhost"))  # fmt: skip
        self.assertEqual((workers, next(plan).seconds, status), (3, 7.0, "unix:a"))

    def test_packets_can_be_encrypted_before(self) -> None:
        _, _, (task,), *_ = self.make("--prefill", "--packets=2")
        self.assertTrue(task.prefill)

    def test_in_churn_packets_do_not_end_the_load(self) -> None:
        run = self.make("--scenario=churn", "--packets=2", "--duration=7")
        _, _, (task,), _, plan, *_ = run
        self.assertEqual((task.packets, next(plan).seconds), (2, 7.0))

    def test_a_check_that_does_not_hold_is_a_failure(self) -> None:
        self.make("--conn=2", "--check=failed==0")
        for failures, statuses in ((0, []), (1, [1])):
            failed = {"truncated": failures} if failures else {}
            window = WindowResult(1, "write", 0.0, 1.0, LoadCounters(failed=failed))
            counters = LoadCounters(begun=2, secured=2, clean=2, sent=100)
            result = RunResult("name", 2, counters, 0.5, 1.0, 100, windows=(window,))
            self.over(result)
            self.assertEqual(self.statuses, statuses)
        self.assertIn("check failed==0: yes, 0\n", self.output.getvalue())
        self.assertIn("check failed==0: NO, 1\n", self.output.getvalue())

    def test_no_connection_at_all_is_one_line_and_a_status_of_its_own(self) -> None:
        self.make("--conn=2")
        counters = LoadCounters(
            begun=2, failed={"wrong name": 2}, details={"wrong name": "not valid for a"}
        )
        self.over(RunResult("name", 2, counters, 0.5, 1.0))
        self.assertEqual((self.statuses[-1], self.output.getvalue()), (2, ""))
        line = "tlsclient: no connection was secured: wrong name: not valid for a\n"
        self.assertTrue(self.progress.getvalue().endswith(line), self.progress.getvalue())

    def test_the_results_are_written_as_json(self) -> None:
        path = Path(self.mktemp())
        self.make("--conn=2", f"--json={path}")
        self.end()
        written = json.loads(path.read_text())
        self.assertEqual((written["schema"], written["runs"][0]["sent"]), (1, 100))
        self.make("--conn=2", "--json=/dev/full")
        self.assertIn("--json is '/dev/full': No space left on device\n", self.end())
        self.assertEqual(self.statuses, [2])

    def test_the_results_are_written_as_distributions_rows_and_a_page(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        *_, interval = self.make("--conn=2", *(f"--{n}={folder}/a.{n}" for n in FILES))
        interval(load_results.interval(1.0))
        interval(load_results.interval(2.0))
        rows = Path(folder, "a.csv").read_text().splitlines()
        self.assertEqual([row[:9] for row in rows], ["run,at,se", "1,1.000,1", "1,2.000,1"])
        self.over(load_results.run())
        self.assertEqual(
            sorted(each.name for each in folder.iterdir()),
            ["a.csv", "a.handshake.hgrm", "a.html", "a.json", "a.opening.handshake.hgrm",
             "a.opening.round-trip.hgrm", "a.round-trip.hgrm"],
        )  # fmt: skip
        self.assertIn("Load on tcp:127.0.0.1:8899", Path(folder, "a.html").read_text())

    def test_a_file_that_cannot_be_written_is_said_once(self) -> None:
        *_, interval = self.make("--conn=2", "--csv=/dev/full")
        interval(load_results.interval(1.0))
        interval(load_results.interval(2.0))
        text = self.end()
        self.assertEqual(text.count("--csv is '/dev/full': No space left on device\n"), 1)
        self.assertEqual(self.statuses, [2])

    def test_loads_are_repeated_and_alternate_between_two_servers(self) -> None:
        self.make("--conn=2", "--repeat=2", "--connect=tcp:a:1", "--versus=tcp:b:2")
        turns = [(turn.environment, turn.round) for turn in self.turns]
        first, second = ("tcp:a:1", "tcp:b:2")
        self.assertEqual(turns, [(first, 1), (second, 1), (second, 2), (first, 2)])
        made = [self.controller(turn) for turn in self.turns]
        self.assertEqual(len({name for _, name, *_ in made}), 4)
        self.assertEqual([run[2][0].server_name for run in made], ["a", "b", "b", "a"])
        self.assertEqual([run[2][0].connect for run in made], [first, second, second, first])
        counters = LoadCounters(begun=2, secured=2, clean=2, sent=100)
        text = self.over(*[RunResult("name", 2, counters, 0.5, 1.0, 100)] * 4)
        for title in ("tcp:a:1 run 1:", "tcp:b:2 run 1:", "tcp:b:2 run 2:", "tcp:a:1 run 2:"):
            self.assertIn(f"{title}\n", text)
        self.assertEqual(self.statuses, [])

    def test_loads_that_were_not_run_are_a_failure(self) -> None:
        self.make("--conn=2", "--repeat=2")
        self.end()
        self.assertEqual(self.statuses, [1])

    def test_what_was_measured_is_reported_although_the_second_server_is_unreachable(self) -> None:
        path = Path(self.mktemp())
        self.make("--conn=2", "--versus=tcp:b:2", f"--json={path}")
        good = LoadCounters(begun=2, secured=2, clean=2, sent=100)
        results = [
            RunResult("name", 2, counters, 0.5, 1.0, 100)
            for counters in (good, LoadCounters(begun=2, failed={"refused": 2}))
        ]
        self.assertIn("tcp:b:2:\n2 connections: 0 secured", self.over(*results))
        self.assertEqual((self.statuses, len(json.loads(path.read_text())["runs"])), ([1], 2))

    def test_a_second_server_is_not_asked_for_the_status_of_the_first(self) -> None:
        message = self.refused(lambda: self.parse("--connect=tcp:b:2", "--versus=tcp:b:2"))
        self.assertIn("--versus is 'tcp:b:2', which is --connect as well", message)
        message = self.refused(lambda: self.parse("--versus=tcp:b:2", "--status=unix:a"))
        self.assertIn("--status is 'unix:a', which is that of one server", message)
        self.make("--versus=tcp:127.0.0.1:25")
        self.assertEqual(
            [self.controller(turn)[5] for turn in self.turns],
            [status_endpoint(8899), status_endpoint(25)],
        )
        self.make("--versus=tcp:b:2", "--status=none")
        self.assertEqual([self.controller(turn)[5] for turn in self.turns], [None, None])

    def test_quiet_shows_no_progress(self) -> None:
        watch = self.make("--conn=2", "--quiet")[6]
        watch(LoadPhase.SENDING, LoadCounters(begun=2), 1.0)
        self.assertEqual(self.progress.getvalue(), "")

    def test_it_shows_its_progress(self) -> None:
        watch = self.make("--conn=2")[6]
        watch(LoadPhase.CONNECTING, LoadCounters(begun=2), 1.0)
        self.assertIn("tlsclient: securing 2 connections", self.progress.getvalue())
        self.assertEqual(self.output.getvalue(), "")

    def test_output_that_cannot_be_written_is_a_failure_of_its_own(self) -> None:
        self.patch(sys, "__stdout__", FullDisk())
        self.make("--conn=2")
        self.end()
        self.assertEqual(self.statuses, [2])
        self.assertIn(
            "tlsclient: cannot write to standard output: No space left on device\n",
            self.progress.getvalue(),
        )

    def test_a_reader_that_quits_early_is_no_error_message(self) -> None:
        self.patch(sys, "__stdout__", QuitReader())
        self.make("--conn=2")
        self.end()
        self.assertEqual(self.statuses, [141])
        self.assertNotIn("cannot write", self.progress.getvalue())

    def test_closed_output_is_refused_before_the_load(self) -> None:
        self.patch(sys, "__stdout__", None)
        options = self.parse(
            self.where, parent={"nodaemon": 1, "logger": "x", "pidfile": "", "logfile": None}
        )
        message = self.refused(lambda: tap_client.makeService(options))
        self.assertEqual(message, "twistd tlsclient: cannot write to standard output: it is closed")

    def test_closed_standard_error_shows_no_progress(self) -> None:
        self.patch(sys, "__stderr__", None)
        watch = self.make("--conn=2")[6]
        watch(LoadPhase.SENDING, LoadCounters(begun=2), 1.0)
        self.assertIn("run name: sent 100", self.end())

    def test_it_prints_bytes_sent_received_and_lost_and_succeeds(self) -> None:
        self.make("--conn=2")
        self.assertIn("run name: sent 100, received 100, lost 0 bytes\n", self.end())
        self.assertEqual(self.statuses, [])

    def test_a_server_without_status_is_not_a_failure(self) -> None:
        self.make("--conn=2", "--status=none")
        self.assertIn("run name: sent 100, received not known\n", self.end(arrived=None))
        self.assertEqual(self.statuses, [])

    def test_lost_bytes_are_a_failure(self) -> None:
        self.make("--conn=2")
        self.assertIn("lost 1 bytes", self.end(arrived=99))
        self.assertEqual(self.statuses, [1])

    def test_a_connection_that_did_not_end_cleanly_is_a_failure(self) -> None:
        self.make("--conn=2")
        self.end(clean=1)
        self.assertEqual(self.statuses, [1])

    def test_an_interrupted_run_is_a_failure(self) -> None:
        self.make("--conn=2")
        self.finished(None)
        self.assertEqual(self.statuses, [1])

    def test_the_result_is_also_logged(self) -> None:
        self.make("--conn=2")
        with capturedLogs() as logged:
            text = self.end()
        self.assertEqual([event["line"] for event in logged], text.splitlines())

    def test_too_many_connections_are_refused_before_starting(self) -> None:
        self.patch(load_options, "raise_descriptor_limit", lambda: 64)
        message = self.refused(lambda: self.make("--conn=2000"))
        self.assertIn(
            "needs 699 file descriptors in each of 3 processes, and the limit is 64", message
        )


class StandardErrorTests(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        # twistd redirects sys.stderr to the log, which is what is printed.
        self.patch(sys, "__stderr__", self.errors)
        self.patch(sys, "stderr", None)
        observer = log_to_standard_error()
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.log = Logger()

    def test_warnings_are_printed(self) -> None:
        self.log.warn("beware of {what}", what="dogs")
        self.assertEqual(self.errors.getvalue(), "tlsclient: beware of dogs\n")

    def test_other_events_are_not_printed(self) -> None:
        self.log.info("never mind")
        log.msg("what has no level of its own")
        log_to_standard_error()({"log_format": "nor has this"})
        self.assertEqual(self.errors.getvalue(), "")

    def test_a_failure_is_printed_with_its_traceback(self) -> None:
        failure = Failure(ZeroDivisionError("by nought"))
        self.log.failure("broke off", failure, LogLevel.warn)
        self.assertTrue(self.errors.getvalue().startswith("tlsclient: broke off\nTraceback"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class ExitWithTests(SynchronousTestCase):
    def test_the_exit_is_registered_with_atexit(self) -> None:
        left: list[int] = []
        registered: list[Callable[[], object]] = []
        self.patch(atexit, "register", registered.append)
        self.patch(os, "_exit", left.append)
        exit_with(3)
        self.assertEqual(left, [])
        for leave in registered:
            leave()
        self.assertEqual(left, [3])

    def test_the_process_ends_with_the_status_after_flushing(self) -> None:
        program = (
            "import sys; from tlsdemo.tap_client import exit_with; exit_with(3);"
            "print('to stdout'); print('to stderr', file=sys.stderr)"
        )
        buffered = {**environment(), "PYTHONUNBUFFERED": ""}
        process = subprocess.run(
            [sys.executable, "-c", program], env=buffered, capture_output=True, timeout=60
        )
        self.assertEqual(process.returncode, 3)
        self.assertEqual((process.stdout, process.stderr), (b"to stdout\n", b"to stderr\n"))
