"""``tlsdemo merge``: the results of the shards of a load, as those of one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.check_option import CheckOption
from tlsdemo.cli.load_reports import LoadReports, LoadRun
from tlsdemo.cli.options import check_output_files, fail
from tlsdemo.cli.report_options import FILES
from tlsdemo.reporting.objectives import verdicts
from tlsdemo.reporting.plain_values import BadValues
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.run_text import result_lines
from tlsdemo.reporting.shard_result import (
    CannotMerge,
    ShardResult,
    check_shards,
    merged_run,
)
from tlsdemo.reporting.shard_text import shard_line, together_lines
from tlsdemo.reporting.terminal import console_of, print_line


class MergeOptions(CheckOption):
    """The options of ``tlsdemo merge``."""

    command = "tlsdemo merge"

    synopsis = "Usage: tlsdemo merge [options] FILE.json ..."

    longdesc = (
        "Adds up the results of the shards of a load, which twistd tlsclient --shard has written: "
        "counters and histograms without loss, so that percentiles are those of all shards "
        "together. The exit status is 1 if a shard is missing, or did not do all that it had to, "
        "and 2 if the files are not of one load."
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["json", None, None, "Also write the whole to this file, as tlsclient --json does."],
        ["hgrm", None, None, "Also write HdrHistogram's percentile distributions to this file."],
        ["csv", None, None, "Also write a row for each second, of all shards together, here."],
        ["html", None, None, "Also write a page with charts to this file."],
    ]

    def parseArgs(self, *files: str) -> None:
        """Keep the names of the files."""
        if not files:
            raise usage.UsageError("which files? Those that tlsclient --shard --json has written")
        self["files"] = files

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        check_output_files(self, FILES)

    def run(self) -> int:
        """Merge, print what came out, and return the exit status."""
        shards = sorted((self._read(path) for path in self["files"]), key=lambda each: each.number)
        try:
            missing = check_shards(shards)
            of = shards[0].of
            lost = [f"shard {number} of {of} is missing" for number in missing]
            result = merged_run(shards, lost)
        except (BadValues, CannotMerge) as problem:
            fail(self.command, problem)
        judged = [*verdicts(self["check"], result)]
        lines = [
            *(shard_line(each) for each in shards),
            *together_lines(shards),
            *result_lines(result),
            *(f"check {verdict}" for _, verdict in judged),
        ]
        console = console_of(sys.stdout)
        for line in lines:
            print_line(console, line)
        self._write(shards, result, judged)
        held = all(holds for holds, _ in judged)
        return 0 if result.complete and not result.lost and held else 1

    def _write(
        self, shards: Sequence[ShardResult], result: RunResult, judged: Sequence[tuple[bool, str]]
    ) -> None:
        first = shards[0]
        began = first.start_at or first.started
        try:
            time = datetime.fromtimestamp(began, timezone.utc) if began else None
        except (ValueError, OverflowError, OSError):
            fail(
                self.command, f"{first.source!r} says that it began at {began!r}, which is no time"
            )
        reports = LoadReports(self, time, first.versions)
        reports.header = {"shards": [each.header_as_json() for each in shards]}
        reports.write([LoadRun(first.target, 1, result)], judged)
        if reports.problems:
            fail(self.command, reports.problems[0])

    def _read(self, path: str) -> ShardResult:
        try:
            return ShardResult.from_json(json.loads(Path(path).read_bytes()), path)
        except OSError as problem:
            fail(self.command, f"{path!r}: {problem.strerror}")
        except BadValues as problem:
            fail(self.command, f"{path!r} is not the result of a shard: {problem}")
        except (ValueError, RecursionError):
            fail(self.command, f"{path!r} is not JSON, and so no result of a shard")
