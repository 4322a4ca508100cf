"""``--scenario=readiness`` of ``twistd tlsclient``: makes the checks, and reports them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tlsdemo.cli.load_options import LoadOptions
from tlsdemo.cli.standard_output import NOT_WRITTEN_STATUS
from tlsdemo.loadgen.hello_checks import hello_checks
from tlsdemo.loadgen.readiness import Readiness
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.readiness_result import CheckResult, Verdict, readiness_lines, ready
from tlsdemo.tls import versions
from tlsdemo.tls.policy import DEFAULT_GROUPS

TIMEOUT = 10.0
"""Seconds that a check may take, unless --timeout says otherwise."""

NOT_SECURED_STATUS = 2
"""The exit status if not even an ordinary connection was secured."""


def readiness_of(reactor: Any, options: LoadOptions, task: Task, progress: Progress) -> Readiness:
    """Return the run that ``options`` describe, which shows what it does."""
    if not options.is_given("timeout"):
        task = replace(
            task,
            timeout=TIMEOUT,
            plain_timeout=min(task.plain_timeout, TIMEOUT),
            handshake_timeout=min(task.handshake_timeout, TIMEOUT),
            closing_timeout=min(task.closing_timeout, TIMEOUT),
        )
    checks = [*hello_checks(task.groups or DEFAULT_GROUPS)]
    return Readiness(reactor, task, checks, lambda check: progress.begin(check.name))


def conclude(
    path: str | None, task: Task, results: Sequence[CheckResult]
) -> tuple[int, str, list[str]]:
    """Write the document of ``--json``, if it has a ``path``.

    Return the exit status: 0 if every check has passed, 2 if not even an ordinary connection was
    secured, or if the file cannot be written; what to say instead of results; and what to print.
    """
    if not results:
        return 1, "", []
    first = results[0]
    if first.verdict is Verdict.FAILED:
        why = ": ".join(filter(None, (first.cause, first.detail)))
        return NOT_SECURED_STATUS, f"no connection was secured: {why}", []
    status, lines = 0 if ready(results) else 1, [*readiness_lines(results)]
    if path is not None:
        text = json.dumps(document(task.connect, task.dialect, results), indent=2)
        try:
            Path(path).write_text(f"{text}\n")
        except OSError as problem:
            status = NOT_WRITTEN_STATUS
            lines.append(f"--json is {path!r}: {problem.strerror}")
    return status, "", lines


def document(connect: str, dialect: str, results: Sequence[CheckResult]) -> dict[str, Any]:
    """Return the document of ``--json``."""
    return {
        "schema": 1,
        "versions": versions(),
        "readiness": {
            "connect": connect,
            "dialect": dialect,
            "ready": ready(results),
            "checks": [each.as_json() for each in results],
        },
    }
