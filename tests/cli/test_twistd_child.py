from __future__ import annotations

import os
import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any

from twisted.scripts import twistd
from twisted.trial.unittest import SynchronousTestCase

from tests.end_to_end.processes import ProcessCase, connect_and_close
from tlsdemo.cli import twistd_child as child


class Child(SynchronousTestCase):
    """With everything faked that would concern the process that runs the tests."""

    def setUp(self) -> None:
        self.log: list[object] = []
        self.patch(os, "setsid", lambda: self.log.append("session of its own"))
        self.patch(os, "kill", lambda *what: self.log.append(what))
        self.patch(twistd, "run", lambda: self.log.append("run"))
        self.patch(threading, "Thread", self._thread)

    def _thread(self, target: Any, daemon: bool) -> Any:
        self.assertTrue(daemon)
        self.watch = target
        return SimpleNamespace(start=lambda: self.log.append("watch"))

    def test_it_leaves_the_terminals_session_and_watches_its_input_before_it_runs(self) -> None:
        child.main()
        self.assertEqual(self.log, ["session of its own", "watch", "run"])

    def test_when_its_input_ends_it_is_told_to_end(self) -> None:
        child.main()
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.write(writing, b"whatever")
        os.close(writing)
        self.watch(reading)
        self.assertEqual(self.log[-1], (os.getpid(), signal.SIGTERM))


class Process(ProcessCase):
    def test_it_is_a_server_that_ends_in_order_when_whoever_started_it_is_gone(self) -> None:
        process = self.start(
            *(sys.executable, "-m", "tlsdemo.cli.twistd_child", "-n", "--pidfile=", "tlsdemo"),
            *("--listen=tcp:0:interface=127.0.0.1", "--status=none", self.certs),
            new_session=False,
        )
        connect_and_close(process.wait_for_line(r"listening on (\S+);")[1])
        process.wait_for_line("insecure why=probe")
        self.assertEqual(os.getsid(process.pid), process.pid)
        process.close_input()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertIn("summary: 1 connections", process.output)
