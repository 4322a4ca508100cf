"""Where the server's log goes is twistd's to say, and what it looks like is ours."""

from __future__ import annotations

import io
import signal
import sys
import syslog
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.logger import ILogObserver, Logger
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli import server_log as module
from tlsdemo.cli.server_log import LogFormat, server_log
from tlsdemo.net.bounded_log import MOST
from tlsdemo.reporting.terminal import drop_output


class ServerLogTests(SynchronousTestCase):
    log_format = LogFormat.TEXT
    line = "[x#info] a\\x1bc\n"

    def setUp(self) -> None:
        self.called: list[Any] = []
        self.reactor = SimpleNamespace(seconds=lambda: 0.0, callFromThread=self.called.append)
        self.output = io.StringIO()
        self.patch(sys, "stdout", self.output)
        self.file = Path(self.mktemp())
        self.handlers: dict[int, Any] = {}
        self.patch(signal, "getsignal", self.handlers.get)
        self.patch(signal, "signal", self.handlers.__setitem__)

    def observer(self, **options: Any) -> ILogObserver | None:
        plain = {"logfile": "", "nodaemon": True, "syslog": False, "prefix": "p", "logger": None}
        return server_log({**plain, **options}, self.reactor, self.log_format)

    def say(self, observer: ILogObserver | None, times: int = 1) -> None:
        assert observer is not None
        for _ in range(times):
            Logger("x", observer=observer).info("a\x1b{b}", b="c")

    def test_in_the_foreground_it_is_standard_output(self) -> None:
        for logfile in ("", "-"):
            self.output.truncate(0)
            self.say(self.observer(logfile=logfile), 2 * MOST)
            self.assertEqual(self.output.getvalue().count(self.line), MOST)

    def test_it_is_the_file_that_is_named(self) -> None:
        for foreground in (True, False):
            self.say(self.observer(logfile=str(self.file), nodaemon=foreground))
        self.assertEqual(self.file.read_text().count(self.line), 2)
        self.assertEqual(self.output.getvalue(), "")

    def test_of_a_daemon_it_is_twistd_log(self) -> None:
        opened: list[str] = []

        def open_file(name: str) -> Any:
            opened.append(name)
            return self.output

        self.patch(module, "LogFile", SimpleNamespace(fromFullPath=open_file))
        self.say(self.observer(nodaemon=False))
        self.assertEqual(opened, ["twistd.log"])

    def test_a_log_that_cannot_be_written_is_complained_of_elsewhere(self) -> None:
        sent: list[tuple[int, str]] = []
        self.patch(syslog, "syslog", lambda level, text: sent.append((level, text)))
        errors = io.StringIO()
        self.patch(sys, "__stderr__", errors)
        why = "but the server goes on: No space left on device"
        with open("/dev/full", "w") as full:
            self.patch(sys, "stdout", full)
            self.say(self.observer(), 2)
            text = f"twistd tlsdemo: the log cannot be written to standard output, {why}"
            self.assertEqual((errors.getvalue(), sent), (f"{text}\n", []))
            drop_output(full)
        self.say(self.observer(logfile="/dev/full", nodaemon=False), 2)
        text = f"twistd tlsdemo: the log cannot be written to '/dev/full', {why}"
        self.assertEqual(sent, [(syslog.LOG_ERR, text)])

    def test_sigusr1_rotates_a_file(self) -> None:
        self.say(self.observer(logfile=str(self.file)))
        self.handlers[signal.SIGUSR1](signal.SIGUSR1, None)
        (rotate,) = self.called
        rotate()
        self.assertTrue(self.file.with_name(f"{self.file.name}.1").exists())

    def test_a_handler_of_sigusr1_is_kept(self) -> None:
        self.handlers[signal.SIGUSR1] = kept = print
        self.observer(logfile=str(self.file))
        self.assertIs(self.handlers[signal.SIGUSR1], kept)

    def test_it_can_be_the_system_log(self) -> None:
        from twisted.python import syslog as twisted_syslog

        sent: list[str] = []

        class System:
            def __init__(self, prefix: str) -> None:
                self.prefix = prefix

            def emit(self, event: Any) -> None:
                sent.append(self.prefix)

        self.patch(twisted_syslog, "SyslogObserver", System)
        self.say(self.observer(syslog=True), 2 * MOST)
        self.assertEqual(sent, ["p"] * MOST)

    def test_another_logger_and_what_twistd_refuses_are_left_to_twistd(self) -> None:
        self.assertIsNone(self.observer(logger="somewhere.else"))
        self.assertIsNone(self.observer(logfile="-", nodaemon=False))


class JSONLogTests(ServerLogTests):
    log_format = LogFormat.JSON
    line = r'"level": "info", "namespace": "x", "message": "a\\x1bc", "fields": {"b": "c"}}' + "\n"
