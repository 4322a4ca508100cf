"""Run trial, with a line for each module and the slowest tests: ``python -m tests.slowest``."""

from __future__ import annotations

import time
from typing import Any

from twisted.scripts import trial
from twisted.trial.reporter import Reporter

MOST = 10

COLUMN = 56
"""Where a module's figures begin."""


class ModuleReporter(Reporter):
    """A line for each module, begun when the module begins, and below it what failed.

    The list of the slowest tests comes before the summary, which stays the last line: ``.ci/run``
    counts by it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._began = 0.0
        self._durations: list[tuple[float, str]] = []
        self._module = ""
        self._module_began = 0.0
        self._tests_before = 0
        self._failed: list[str] = []

    def startTest(self, test: Any) -> None:
        self._began = time.monotonic()
        # Trial decorates tests, so that their classes say nothing.
        module = test.id().rsplit(".", 2)[0]
        if module != self._module:
            self._end_module()
            self._module, self._module_began = module, self._began
            self._tests_before = self.testsRun
            self._write("%s", module.ljust(COLUMN - 1))
        super().startTest(test)

    def stopTest(self, test: Any) -> None:
        self._durations.append((time.monotonic() - self._began, test.id()))
        super().stopTest(test)

    def addFailure(self, test: Any, fail: Any) -> None:
        self._failed.append(test.id())
        super().addFailure(test, fail)

    def addError(self, test: Any, error: Any) -> None:
        self._failed.append(test.id())
        super().addError(test, error)

    def done(self) -> None:
        self._end_module()
        self._writeln("\nThe slowest tests:")
        for seconds, name in sorted(self._durations, reverse=True)[:MOST]:
            self._writeln("%6.2f s  %s", seconds, name)
        super().done()

    def _end_module(self) -> None:
        if self._module:
            seconds = time.monotonic() - self._module_began
            self._writeln(" %4d in %5.1f s", self.testsRun - self._tests_before, seconds)
        for name in self._failed:
            self._writeln("  failed: %s", name)
        self._failed = []


class Options(trial.Options):
    def postOptions(self) -> None:
        super().postOptions()
        self["reporter"] = ModuleReporter


if __name__ == "__main__":
    trial.Options = Options  # type: ignore[misc]
    trial.run()
