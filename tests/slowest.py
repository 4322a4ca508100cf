"""Run trial, and list the slowest tests at the end: ``python -m tests.slowest tests``."""

from __future__ import annotations

import time
from typing import Any

from twisted.scripts import trial
from twisted.trial.reporter import TreeReporter

MOST = 10


class SlowestTestsReporter(TreeReporter):
    """Trial's usual reporter; the list comes before the summary, which stays the last line."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._started = 0.0
        self._durations: list[tuple[float, str]] = []

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._started = time.monotonic()

    def stopTest(self, test: Any) -> None:
        self._durations.append((time.monotonic() - self._started, test.id()))
        super().stopTest(test)

    def done(self) -> None:
        self._writeln("\nThe slowest tests:")
        for seconds, name in sorted(self._durations, reverse=True)[:MOST]:
            self._writeln("%6.2f s  %s", seconds, name)
        super().done()


class Options(trial.Options):
    def postOptions(self) -> None:
        super().postOptions()
        self["reporter"] = SlowestTestsReporter


if __name__ == "__main__":
    trial.Options = Options  # type: ignore[misc]
    trial.run()
