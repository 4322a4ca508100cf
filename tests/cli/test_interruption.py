from __future__ import annotations

import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.interruption import ENDING, Interrupted, interrupted_by


class InterruptedBy(SynchronousTestCase):
    def before(self, *_: object) -> None:
        """Handle a signal that nobody else handles."""

    def setUp(self) -> None:
        for each in (signal.SIGINT, *ENDING):
            self.addCleanup(signal.signal, each, signal.getsignal(each))
            signal.signal(each, self.before)
        self.stops: list[Any] = []
        self.reactor: Any = SimpleNamespace(
            running=False, callFromThread=self.stops.append, stop=lambda: None
        )
        modules = mock.patch.dict(sys.modules, {"twisted.internet.reactor": self.reactor})
        modules.start()
        self.addCleanup(modules.stop)

    def test_a_signal_is_an_interruption(self) -> None:
        for number in ENDING:
            with interrupted_by(*ENDING):
                problem = self.assertRaises(Interrupted, signal.raise_signal, number)
            self.assertEqual((problem.number, str(problem)), (number, number.name))
            self.assertEqual(signal.getsignal(number), self.before)

    def test_the_second_does_not_disturb_the_cleaning_up(self) -> None:
        with interrupted_by(*ENDING):
            self.assertRaises(Interrupted, signal.raise_signal, signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)

    def test_ctrl_c_interrupts_the_cleaning_up(self) -> None:
        with interrupted_by(signal.SIGINT):
            self.assertRaises(Interrupted, signal.raise_signal, signal.SIGINT)
            self.assertRaises(Interrupted, signal.raise_signal, signal.SIGINT)

    def test_what_is_ignored_remains_so(self) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with interrupted_by(*ENDING):
            signal.raise_signal(signal.SIGHUP)
        self.assertIs(signal.getsignal(signal.SIGHUP), signal.SIG_IGN)

    def test_a_running_reactor_is_stopped(self) -> None:
        self.reactor.running = True
        with interrupted_by(*ENDING):
            signal.raise_signal(signal.SIGHUP)
        self.assertEqual(self.stops, [self.reactor.stop])

    def test_another_thread_leaves_the_handlers_as_they_are(self) -> None:
        found: list[Any] = []

        def look() -> None:
            with interrupted_by(*ENDING):
                found.append(signal.getsignal(signal.SIGTERM))

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        self.assertEqual(found, [self.before])
