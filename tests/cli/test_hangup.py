from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import SimpleNamespace

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli import hangup
from tlsdemo.cli.hangup import Hangup, has_terminal


class HangupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.before = signal.getsignal(signal.SIGHUP)
        self.addCleanup(signal.signal, signal.SIGHUP, self.before)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.terminal = True
        self.patch(hangup, "has_terminal", lambda: self.terminal)
        self.turns: list[Callable[[], object]] = []
        self.stopped: list[str] = []
        self.requests = 0
        self.reactor = SimpleNamespace(
            callFromThread=self.turns.append, stop=lambda: self.stopped.append("stopped")
        )

    def _requested(self) -> None:
        self.requests += 1

    def install(self, foreground: bool = True, asked: bool = True) -> Hangup:
        handler = Hangup(self.reactor, foreground, self._requested if asked else None)
        handler.install()
        return handler

    def hang_up(self, times: int = 1) -> tuple[int, int]:
        """Return how often the reactor was stopped, and how often there was a request."""
        for _ in range(times):
            signal.raise_signal(signal.SIGHUP)
            self.turns.pop()()
        return len(self.stopped), self.requests

    def test_with_a_terminal_in_the_foreground_the_first_one_stops_the_reactor(self) -> None:
        self.install()
        with capturedLogs() as logged:
            self.assertEqual(self.hang_up(times=2), (1, 0))
        self.assertIn("terminal was closed", str(logged[0]["log_format"]))
        self.assertEqual(len(logged), 1)

    def test_it_acts_in_the_reactors_next_turn(self) -> None:
        self.install()
        signal.raise_signal(signal.SIGHUP)
        self.assertEqual((len(self.turns), self.stopped), (1, []))

    def test_without_a_terminal_each_one_is_a_request(self) -> None:
        self.terminal = False
        self.install()
        self.assertEqual(self.hang_up(times=2), (0, 2))

    def test_in_the_background_each_one_is_a_request(self) -> None:
        self.install(foreground=False)
        self.assertEqual(self.hang_up(times=2), (0, 2))

    def test_after_nohup_each_one_is_a_request(self) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.install()
        self.assertEqual(self.hang_up(times=2), (0, 2))

    def test_without_a_use_for_a_request_the_handler_stays(self) -> None:
        self.install(foreground=False, asked=False)
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)

    def test_the_previous_handler_is_restored(self) -> None:
        self.install().restore()
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)

    def test_a_second_signal_does_not_kill_what_ends_in_order(self) -> None:
        handler = self.install()
        self.hang_up()
        handler.restore()
        self.assertNotEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)

    def test_the_terminal_is_that_of_the_process(self) -> None:
        def no_terminal(*_: object) -> int:
            raise OSError(6, "No such device or address")

        self.patch(os, "open", no_terminal)
        self.assertFalse(has_terminal())
        pipe = os.pipe()
        self.addCleanup(os.close, pipe[1])
        self.patch(os, "open", lambda *_: pipe[0])
        self.assertTrue(has_terminal())
        self.assertRaises(OSError, os.fstat, pipe[0])
