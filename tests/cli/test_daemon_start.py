from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.daemon_start import DaemonStart


class DaemonStartTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.terminal = Path(self.mktemp())
        stream = self.terminal.open("w")
        self.addCleanup(stream.close)
        self.patch(sys, "__stderr__", stream)

    def start(self, **options: Any) -> DaemonStart:
        defaults = {"nodaemon": 0, "debug": 0, "logfile": None, "pidfile": "/run/x.pid"}
        return DaemonStart("serve", {**defaults, "logger": None, "syslog": 0, **options})

    def said(self, **options: Any) -> str:
        self.start(**options).say("listening")
        return self.terminal.read_text()

    def test_it_says_what_where_and_who_in_one_line(self) -> None:
        log = Path.cwd() / "twistd.log"
        self.assertEqual(
            self.said(),
            f"serve: listening; log {log}; pid file /run/x.pid; pid {os.getpid()}\n",
        )

    def test_what_is_not_written_is_not_named(self) -> None:
        expected = f"serve: listening; pid {os.getpid()}\n"
        self.assertEqual(self.said(pidfile="", syslog=1), expected)

    def test_in_the_foreground_it_says_nothing(self) -> None:
        self.assertEqual(self.said(nodaemon=1) + self.said(debug=1), "")

    def test_without_standard_error_it_says_nothing(self) -> None:
        self.patch(sys, "__stderr__", None)
        self.assertEqual(self.said(), "")

    def test_a_full_disk_is_no_reason_not_to_serve(self) -> None:
        with open("/dev/full", "w") as full:
            self.patch(sys, "__stderr__", full)
            self.start().say("listening")

    def test_it_repeats_a_problem_only_if_twistd_would_cut_it_off(self) -> None:
        self.start().fail("x" * 80)
        self.assertEqual(self.terminal.read_text(), "")
        self.start().fail("x" * 81)
        self.assertEqual(self.terminal.read_text(), f"serve: {'x' * 81}\n")
