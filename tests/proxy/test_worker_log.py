from __future__ import annotations

import io
import json

from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.worker_log import logged, worker_log


class WorkerLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        self.observer = worker_log(self.stream)

    def logger(self, namespace: str) -> Logger:
        return Logger(namespace, observer=self.observer)

    def logged(self) -> list[tuple[str, str]]:
        lines = [logged(line.encode()) for line in self.stream.getvalue().splitlines()]
        return [(level.name, text) for level, text in lines]

    def test_our_events_arrive_with_their_level_and_as_they_are_formatted(self) -> None:
        self.logger("tlsdemo").info("{number:.2f}", number=1 / 3)
        self.logger("tlsdemo").error("snow \N{SNOWMAN}")
        self.assertEqual(self.logged(), [("info", "0.33"), ("error", "snow \N{SNOWMAN}")])

    def test_of_twisted_only_warnings_and_worse_arrive_and_tracebacks_whole(self) -> None:
        self.logger("twisted").info("Main loop terminated.")
        self.logger("twisted").failure("oops", Failure(ValueError("wrong")))
        ((level, text),) = self.logged()
        self.assertEqual(level, "critical")
        self.assertTrue(text.startswith("oops"))
        self.assertIn("ValueError: wrong", text)

    def test_any_other_line_is_a_warning(self) -> None:
        for line in ("Fatal Python error", "{}", "[]", json.dumps({"level": "x", "text": "y"})):
            self.assertEqual(logged(line.encode()), (LogLevel.warn, line))
