"""The reports of a load in files: JSON, HdrHistogram's distributions, CSV and HTML."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tlsdemo.cli.options import Options
from tlsdemo.cli.whole_file import write_whole
from tlsdemo.reporting.interval import COLUMNS, Interval, csv_row, csv_text
from tlsdemo.reporting.load_page import LoadPage
from tlsdemo.reporting.percentile_files import distribution_files
from tlsdemo.reporting.run_comparison import RunComparison, comparisons
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.tls import versions


@dataclass(frozen=True)
class LoadRun:
    """One of the runs of a command: on which server it put the load, in which round."""

    target: str
    round: int
    result: RunResult

    def as_json(self) -> dict[str, Any]:
        """Return the result for JSON, with where it belongs."""
        return {"target": self.target, "round": self.round, **self.result.as_json()}


def titled(runs: Sequence[LoadRun]) -> dict[str, RunResult]:
    """Return the results by titles that tell them apart."""
    several = len({run.target for run in runs}) > 1
    repeated = max((run.round for run in runs), default=1) > 1
    titles = [
        " ".join([*([run.target] if several else []), *([f"run {run.round}"] if repeated else [])])
        for run in runs
    ]
    return {title or run.target: run.result for title, run in zip(titles, runs, strict=True)}


class LoadReports:
    """Writes the files that ``options`` ask for.

    ``began`` and ``measured_with``: when the load began, and versions, if not now and ours.  What
    cannot be written is kept in ``problems``, one line each.  ``header`` is what the JSON has
    besides what that of every load has.
    """

    def __init__(
        self,
        options: Options,
        began: datetime | None = None,
        measured_with: Mapping[str, str] | None = None,
    ) -> None:
        self._options = options
        self._began = began or datetime.now(timezone.utc)
        self._versions = dict(measured_with or versions())
        self._has_rows = False
        self.header: dict[str, Any] = {}
        self.problems: list[str] = []

    def interval(self, run: int, interval: Interval) -> None:
        """Append an interval of a run, counted from 1, to the CSV."""
        if self._options["csv"] is None:
            return
        rows = [csv_row(run, interval)]
        self._attempt("csv", lambda path: self._append(path, rows))

    def _append(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        with path.open("a" if self._has_rows else "w", encoding="utf-8") as file:
            file.write(csv_text(rows if self._has_rows else [COLUMNS, *rows]))
        self._has_rows = True

    def write(self, runs: Sequence[LoadRun], verdicts: Sequence[tuple[bool, str]]) -> None:
        """Write the results, when all runs are over."""
        if not self._has_rows:
            # Of several shards, the course is known in the end.
            rows = [
                csv_row(number, each)
                for number, run in enumerate(runs, 1)
                for each in run.result.intervals
            ]
            self._attempt("csv", lambda path: self._append(path, rows))
        self._attempt("json", lambda path: write_whole(path, self._document(runs)))
        self._attempt("hgrm", lambda path: self._distributions(path, runs))
        page = LoadPage(
            f"Load on {' and '.join(dict.fromkeys(run.target for run in runs))}",
            f"{self._began:%Y-%m-%d %H:%M} UTC. {self._command()}",
            titled(runs),
            verdicts,
            self._versions,
            self.comparisons(runs) if len({run.target for run in runs}) > 1 else (),
        )
        self._attempt("html", lambda path: path.write_text(page.html(), encoding="utf-8"))

    def comparisons(self, runs: Sequence[LoadRun]) -> list[RunComparison]:
        """Return how the second server does beside the first, if both have runs."""
        return comparisons({"runs": [run.as_json() for run in runs]})

    def _command(self) -> str:
        arguments = self._options.arguments_without(*_NOT_SHOWN)
        return f"{self._options.command} {shlex.join(arguments)}".strip()

    def _document(self, runs: Sequence[LoadRun]) -> str:
        document = {
            "schema": 1,
            "versions": self._versions,
            "began": self._began.isoformat(timespec="seconds"),
            "command": self._command(),
            **self.header,
            "runs": [run.as_json() for run in runs],
        }
        return json.dumps(document, indent=2) + "\n"

    def _distributions(self, path: Path, runs: Sequence[LoadRun]) -> None:
        several: Mapping[str, RunResult] = titled(runs)
        for number, result in enumerate(several.values(), 1):
            run = f"run-{number}" if len(several) > 1 else ""
            for name, text in distribution_files(result):
                middle = ".".join(filter(None, [run, name]))
                path.with_name(f"{path.stem}.{middle}{path.suffix}").write_bytes(text)

    def _attempt(self, option: str, write: Callable[[Path], object]) -> None:
        path = self._options[option]
        if path is None or any(each.startswith(f"--{option} ") for each in self.problems):
            return
        try:
            write(Path(path))
        except OSError as problem:
            self.problems.append(f"--{option} is {path!r}: {problem.strerror}")


_NOT_SHOWN = ("json", "hgrm", "csv", "html", "quiet", "passphrase-file")
"""The options that say nothing of a load."""
