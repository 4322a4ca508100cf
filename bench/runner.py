"""Runs the tasks in rounds, and collects what they find."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bench.child import CannotMeasure, NotInstalled
from bench.measures.task import Task
from bench.samples import Problem, Results, Sample
from bench.workbench import Workbench


def say(text: str) -> None:
    """Write a line of progress."""
    print(text, file=sys.stderr, flush=True)


def run_rounds(
    tasks: Sequence[Task],
    rounds: int,
    workbench: Workbench,
    results: Results,
    tell: Callable[[str], object] = say,
    keep: Callable[[], object] = lambda: None,
) -> None:
    """Run every task once in each round: A B C A B C, so that a slow minute meets all of them.

    ``keep`` is called after each task, to keep the results so far.  What cannot be measured is
    told once, and not tried again.
    """
    for task in tasks:
        cases = results.cases.setdefault(task.measure, [])
        cases += [case for case in task.cases if case not in cases]
    given_up: set[tuple[str, str, tuple[str, ...]]] = set()
    began = time.monotonic()
    for number in range(1, rounds + 1):
        for index, task in enumerate(tasks):
            key = (task.measure, task.peer, task.cases)
            if key in given_up or (task.once and number > 1):
                continue
            done = (number - 1) * len(tasks) + index
            title = f"{number}/{rounds} {task.measure}: {task.peer}"
            if not _run(task, number, workbench, results, partial(_titled, tell, title)):
                given_up.add(key)
            keep()
            spent = time.monotonic() - began
            tell(f"  {done + 1} of {rounds * len(tasks)}, {spent / 60:.1f} minutes")


def _run(
    task: Task,
    number: int,
    workbench: Workbench,
    results: Results,
    tell: Callable[[str], object],
) -> bool:
    """Run a task; return whether it may be tried again."""
    missing = list(task.cases)
    try:
        for case, metrics in task.run(workbench):
            missing.remove(case)
            results.samples.append(Sample(task.measure, case, task.peer, number, metrics))
            tell(f"{case}: {brief(metrics)}")
    except CannotMeasure as problem:
        fault = not isinstance(problem, NotInstalled)
        results.problems += [
            Problem(task.measure, case, task.peer, number, str(problem), fault) for case in missing
        ]
        tell(f"not measured: {problem}")
        return False
    return True


def _titled(tell: Callable[[str], object], title: str, text: str) -> None:
    tell(f"{title}: {text}")


def brief(metrics: Mapping[str, float]) -> str:
    """Return the metrics in a line."""
    return ", ".join(f"{name} {value:,.4g}" for name, value in metrics.items())
