"""``tlsdemo gate``: whether other versions change something that an application can notice."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.comparison_options import BOUNDS, TIMEOUT, ComparisonOptions
from tlsdemo.cli.contradictions import Contradiction, check
from tlsdemo.cli.options import check_output_file
from tlsdemo.cli.suggestions import one_of
from tlsdemo.cli.whole_file import write_whole
from tlsdemo.gate.acceptance import Acceptance, BadAcceptance
from tlsdemo.gate.gate_run import PARTS, changes_between, observations
from tlsdemo.gate.history import history
from tlsdemo.gate.stock_matrix import stock_matrix
from tlsdemo.gate.verdict import Verdict, junit
from tlsdemo.lab.compare.candidate_run import run_candidate, run_here
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.reporting.terminal import write_lines
from tlsdemo.tls import versions

_CONTRADICTIONS = (
    Contradiction(
        "python accept accept-new json junit markdown github",
        lambda options: options["observe"],
        "and --observe compares nothing; leave one of them away",
    ),
    Contradiction(
        "observe",
        lambda options: bool(options["against"] or options["parts"]),
        "and it compares nothing; leave --against and --part away",
    ),
    Contradiction(
        "accept-new",
        lambda options: options["accept"] is None,
        "and there is no file to write them to; name one with --accept",
    ),
)


class GateOptions(ComparisonOptions):
    """The options of ``tlsdemo gate``."""

    command = "tlsdemo gate"

    synopsis = "Usage: tlsdemo gate --against='twisted==26.4.0' [options]"

    longdesc = (
        "Compares the installed versions with others, and says nothing if an application cannot "
        "notice a difference. Otherwise it says what, where to read on, and how to accept it, and "
        "the exit status is 1; after an error it is 2, also if the reproduction of a finding "
        "crashes. What depends on timing is tried three times before it counts. "
        f"The parts are {', '.join(PARTS)}; --part selects some. {BOUNDS}"
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["accept", None, None, "File with accepted changes, to be committed. They are not shown, "
         "and the exit status is 0 if there are no others. It need not exist."],
        ["json", None, None, "Write all changes to this file, as JSON."],
        ["junit", None, None, "Write all changes to this file, as JUnit XML."],
        ["markdown", None, None, "Write a table of the changes to this file. A candidate's rows "
         "leave out what a candidate named before it has as well."],
    ]  # fmt: skip

    optFlags: ClassVar[list[list[Any]]] = [
        ["accept-new", None, "Add what has changed to the file of --accept. The exit status is 0."],
        ["github", None, "Write annotations for GitHub Actions. "
         "[default: if GITHUB_ACTIONS is true in the environment]"],
        ["observe", None, "Compare nothing: show what is seen in the part stock, as JSON."],
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self["parts"] = []

    def opt_part(self, name: str) -> None:
        """Part to compare: stock, findings or events. Can be repeated.

        [default: all]
        """
        try:
            self["parts"].append(one_of(PARTS)(name))
        except ValueError as problem:
            raise usage.UsageError(f"--part is {name!r}, {problem}") from None

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        if not self.compares and not self["observe"]:
            raise usage.UsageError("compare with what? --against='twisted==26.4.0', or --python")
        for name in ("accept", "json", "junit", "markdown"):
            check_output_file(name, self[name])
        check(self, _CONTRADICTIONS)
        try:
            self._accepted = Acceptance.read(Path(self["accept"])) if self["accept"] else (
                Acceptance()
            )  # fmt: skip
        except BadAcceptance as problem:
            raise usage.UsageError(f"--accept: {problem}") from None

    @property
    def error_status(self) -> int:
        """The exit status after a problem: not 1, which says that something has changed."""
        return 2

    def run(self) -> int:
        """Compare, write the verdicts, and return the exit status."""
        if self["observe"]:
            write_lines(sys.stdout, [json.dumps(stock_matrix())])
            return 0
        try:
            verdicts = self._verdicts()
        except ComparisonError as problem:
            self.give_up(problem)
        except KeyboardInterrupt:
            self.give_up("interrupted")
        # What was found is shown even if a file cannot be written.
        if not self["accept-new"]:
            shows = self["github"] or os.environ.get("GITHUB_ACTIONS") == "true"
            for each in verdicts:
                write_lines(sys.stdout, [*each.lines(), *(each.annotations() if shows else ())])
        self._write("json", lambda: json.dumps(
            {"against": [each.as_json() for each in verdicts]}, indent=1) + "\n")  # fmt: skip
        self._write("junit", lambda: junit(verdicts))
        self._write("markdown", lambda: history(verdicts))
        changed = [each for each in verdicts if each.changed]
        if self["accept-new"] and changed:
            for each in changed:
                self._accepted.add(each.changed)
            self._write("accept", self._accepted.text)
        problems = [each.problem for each in verdicts if each.problem]
        if problems:
            self.give_up("; ".join(problems))
        return 1 if changed and not self["accept-new"] else 0

    def _verdicts(self) -> list[Verdict]:
        parts = [name for name in PARTS if name in self["parts"] or not self["parts"]]
        verdicts = []
        with self.environments() as environments:
            here = partial(run_here, timeout=TIMEOUT)
            baseline = self._observed(here, parts, "the installed versions")
            for name, environment in environments.items():
                there = partial(run_candidate, environment, timeout=TIMEOUT)
                candidate = self._observed(there, parts, name)
                changes = changes_between(baseline, candidate, here, there)
                accepted = [
                    each for each in changes
                    if not each.is_failure and self._accepted.accepts(each)
                ]  # fmt: skip
                new = [each for each in changes if each not in accepted]
                verdicts.append(
                    Verdict(name, versions(), environment.versions, new, accepted, self._how())
                )
        return verdicts

    def _observed(self, run: Callable[[Sequence[str]], Any], parts: list[str], name: str) -> Any:
        self.report(f"observing {name}")
        return observations(run, parts)

    def _how(self) -> str:
        file = self["accept"] or "gate.json"
        return f"the same command with --accept={file} --accept-new, and commit {file}"

    def _write(self, option: str, text: Callable[[], str]) -> None:
        if self[option] is not None:
            try:
                write_whole(Path(self[option]), text())
            except OSError as problem:
                self.give_up(f"--{option} is {self[option]!r}: {problem.strerror}")
