"""Runs one reproduction as a program; only the text of this module is used, as a part of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner

from tlsdemo.lab.findings.standalone_support import make_certificates
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence


def run(reproduction: Callable[[Testbed], Coroutine[Any, Any, Evidence]]) -> None:
    """Print what ``reproduction`` observes, and whether it is as described; ends the process."""
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)

    async def observe(reactor: Any) -> None:
        with TemporaryDirectory() as directory:
            testbed = Testbed(reactor, make_certificates(Path(directory)))
            try:
                evidence = await reproduction(testbed)
            finally:
                await testbed.close()
        print(*evidence.lines, f"=> {evidence.verdict.value}", sep="\n")

    react(lambda reactor: Deferred.fromCoroutine(observe(reactor)))
