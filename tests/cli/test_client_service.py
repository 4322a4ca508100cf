from __future__ import annotations

import io
import signal
import sys
from types import SimpleNamespace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.test_load_service import RESULT, FakeController
from tlsdemo.cli.client_service import ClientService


class Interrupting(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        self.errors = io.StringIO()
        self.patch(sys, "__stderr__", self.errors)
        self.load = FakeController()
        self.turns: list[Any] = []
        reactor = SimpleNamespace(
            callWhenRunning=lambda do: do(), callFromThread=self.turns.append, stop=lambda: None
        )
        self.service = ClientService(
            reactor, cast(Any, self.load), lambda _: None, {"background": False, "quiet": False}
        )

    def test_the_first_ends_the_load_in_order_and_the_second_at_once(self) -> None:
        self.service.startService()
        self.assertIsNotNone(self.service.stopService())
        self.assertEqual((self.load.stops, self.load.aborts), (1, 0))
        self.assertIn("Ctrl-C again aborts them", self.errors.getvalue())
        signal.raise_signal(signal.SIGINT)
        self.assertEqual(self.load.aborts, 0)
        self.turns.pop()()
        self.assertEqual((self.load.stops, self.load.aborts), (1, 1))

    def test_when_the_load_is_over_there_is_nothing_to_end(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        self.service.startService()
        self.load.done.callback(RESULT)
        self.assertIsNone(self.service.stopService())
        self.assertEqual((self.errors.getvalue(), signal.getsignal(signal.SIGINT)), ("", before))
