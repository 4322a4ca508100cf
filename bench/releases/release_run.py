"""Runs the gate between the releases of a step; what is seen with a combination is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from bench.releases.package_index import requirements_text
from bench.releases.release_steps import Step
from tlsdemo.gate.gate_run import Run, changes_between, observations
from tlsdemo.gate.verdict import Verdict
from tlsdemo.lab.compare.candidate_run import run_candidate
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import Builder
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.requirements import parse_requirements

TIMEOUT = 600.0
"""Seconds that each command in an environment may take."""


class ReleaseRun:
    """Compares the releases of steps, with these ``parts`` of the gate."""

    def __init__(
        self, builder: Builder, parts: Sequence[str], report: Callable[[str], object]
    ) -> None:
        self._builder = builder
        self._parts = parts
        self._report = report
        self._observed: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, ComparisonError] = {}

    def compared(self, step: Step) -> dict[str, Any]:
        """Return a step and its verdict as plain data; a failure is its ``problem``."""
        result: dict[str, Any] = {
            "package": step.package, "older": step.older, "newer": step.newer,
            "problem": step.problem,
        }  # fmt: skip
        if step.problem:
            return result
        try:
            verdict = self._verdict(step)
        except ComparisonError as problem:
            return {**result, "problem": str(problem)}
        return {**result, **verdict.as_json()}

    def _verdict(self, step: Step) -> Verdict:
        with ExitStack() as stack:
            older, newer = (
                stack.enter_context(self._builder.provide(
                    parse_requirements(requirements_text(pins)), self._builder.interpreter(None)
                ))
                for pins in (step.before, step.after)
            )  # fmt: skip
            before, after = (partial(run_candidate, each, timeout=TIMEOUT)
                             for each in (older, newer))  # fmt: skip
            changes = changes_between(
                self._seen(older, before, step.before), self._seen(newer, after, step.after),
                before, after,
            )  # fmt: skip
        name = f"{step.package} {step.older} → {step.newer}"
        return Verdict(name, older.versions, newer.versions, changes, [], "")

    def _seen(self, environment: Environment, run: Run, pins: Mapping[str, str]) -> dict[str, Any]:
        key = environment.key
        if key in self._failed:
            raise self._failed[key]
        if key not in self._observed:
            self._report(f"observing {requirements_text(pins)}")
            try:
                self._observed[key] = observations(run, self._parts)
            except ComparisonError as problem:
                self._failed[key] = problem
                raise
        return self._observed[key]
