"""The files that twistd writes, by real runs of twistd."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.refusals import RefusingCase
from tests.end_to_end.processes import TWISTD, ProcessCase, connect_and_close, wait_for_text
from tlsdemo.cli.twistd_files import check_twistd_files, log_file
from tlsdemo.net.child_process import environment


class LogFile(RefusingCase):
    def name(self, **changes: object) -> str | None:
        options = {"nodaemon": 0, "debug": 0, "logfile": None, "logger": None, "syslog": 0}
        return log_file({**options, **changes})

    def test_it_is_the_one_that_is_named_or_twistds(self) -> None:
        self.assertEqual(self.name(), "twistd.log")
        self.assertEqual(self.name(logfile="x"), "x")
        self.assertEqual(self.name(logfile="x", nodaemon=1), "x")

    def test_there_may_be_none(self) -> None:
        for changes in ({"nodaemon": 1}, {"debug": 1}, {"logfile": "-"}, {"logger": "x"},
                        {"syslog": 1}):  # fmt: skip
            self.assertIsNone(self.name(**changes), changes)


class Check(RefusingCase):
    def check(self, **changes: object) -> None:
        options = {"nodaemon": 1, "logfile": None, "logger": None, "pidfile": "", "chroot": None}
        check_twistd_files("serve", {**options, **changes})

    def test_what_can_be_written_is_not_refused(self) -> None:
        self.check(logfile=self.mktemp(), pidfile=self.mktemp())
        check_twistd_files("serve", None)
        check_twistd_files("tlsdemo", {})

    def test_what_cannot_be_written_is_refused_in_one_line(self) -> None:
        for option in ("logfile", "pidfile"):
            message = self.refused(lambda name=option: self.check(**{name: "/nowhere/x"}))  # type: ignore[misc]
            expected = "which cannot be written: No such file or directory"
            self.assertEqual(message, f"serve: --{option} is '/nowhere/x', {expected}")

    def test_another_root_is_not_looked_into(self) -> None:
        self.check(pidfile="/nowhere/x", chroot="/nowhere")

    def test_a_log_needs_somewhere_to_go(self) -> None:
        self.patch(sys, "__stdout__", None)
        message = self.refused(self.check)
        self.assertIn("to standard output: it is closed; give --logfile", message)
        self.check(logger="x")
        self.check(syslog=1)


class Twistd(ProcessCase):
    def test_refuses_in_one_line_with_status_2(self) -> None:
        for service in ("tlsdemo", "tlsclient"):
            for option in ("--pidfile", "--logfile"):
                with self.subTest(f"{service} {option}"):
                    done = subprocess.run(
                        [*TWISTD, "-n", f"{option}=/nowhere/x", service],
                        env=environment(), capture_output=True, text=True, timeout=60,
                    )  # fmt: skip
                    expected = "which cannot be written: No such file or directory"
                    self.assertEqual(
                        (done.returncode, done.stdout, done.stderr),
                        (2, "", f"twistd {service}: {option} is '/nowhere/x', {expected}\n"),
                    )

    def test_a_server_whose_log_disk_is_full_goes_on_and_says_so_once(self) -> None:
        log = Path(self.home) / "log"
        server = self.twistd(
            *("-n", "--pidfile=", f"--logfile={log}", "tlsdemo", "--status=none", self.certs),
            "--listen=tcp:0:interface=127.0.0.1",
        )
        where = wait_for_text(log, r"listening on (?:.*, )?(tcp:\S+);")[1]
        unlimited = resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        connect_and_close(where)
        server.wait_for_line("the log cannot be written to '.*', but the server goes on: File too")
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
        connect_and_close(where)
        wait_for_text(log, "entries may be missing here: File too large")
        server.signal(signal.SIGTERM)
        server.wait()
        self.assertIn("summary: 2 connections", log.read_text())
        self.assertEqual(server.output.count("cannot be written"), 1)
