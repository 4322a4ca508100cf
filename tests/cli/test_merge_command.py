from __future__ import annotations

import csv
import json
from dataclasses import replace

from tests.cli.printed import PrintingCase
from tests.reporting.test_latencies import recorded
from tests.reporting.test_merged_course import measured
from tests.reporting.test_shard_result import run, shard, window
from tlsdemo.cli.main import main
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.shard_result import ShardResult

COUNTERS = LoadCounters(begun=3, secured=3, clean=3, sent=10)


def complete(number: int, of: int = 2) -> ShardResult:
    measured = window(latencies=recorded(0.001 * number, 0.002))
    return shard(number, of, run=run(counters=COUNTERS, windows=(measured,)))


def damaged(number: int) -> ShardResult:
    whole = complete(number)
    course = (replace(measured(1.0, 0.001), histograms={"round trip": "x"}),)
    return replace(whole, run=replace(whole.run, intervals=course))


class MergeCase(PrintingCase):
    def file(self, name: str, content: ShardResult | str) -> str:
        text = content if isinstance(content, str) else json.dumps(content.as_json())
        (self.folder / name).write_text(text)
        return str(self.folder / name)


class Merge(MergeCase):
    def test_it_prints_the_shards_and_the_whole(self) -> None:
        files = [self.file(f"{number}", complete(number)) for number in (2, 1)]
        self.assertEqual(main(["merge", *files]), 0)
        lines = self.output.getvalue().splitlines()
        self.assertTrue(lines[0].startswith("shard 1 of 2 on here, began +250 ms: 3 conn"), lines)
        self.assertTrue(lines[1].startswith("shard 2 of 2 on here"), lines)
        self.assertIn("window 1 began within 0 ms, by their machines' clocks", lines)
        self.assertIn("6 connections: 6 secured in 0.50 s, 0 failed, 6 ended in order", lines)
        self.assertIn("run load: sent 20, received 20, lost 0 bytes", lines)

    def test_it_writes_the_whole_as_tlsclient_does(self) -> None:
        files = [self.file(f"{number}", complete(number)) for number in (1, 2)]
        path = self.folder / "merged.json"
        self.assertEqual(main(["merge", f"--json={path}", *files]), 0)
        document = json.loads(path.read_text())
        self.assertEqual((document["schema"], len(document["runs"])), (1, 1))
        self.assertEqual([each["number"] for each in document["shards"]], [1, 2])
        whole = recorded(0.001, 0.002, 0.002, 0.002).as_json()
        self.assertEqual(document["runs"][0]["windows"][0]["histograms"], whole)

    def test_it_writes_the_course_of_all_and_a_page(self) -> None:
        files = []
        for number in (1, 2):
            each = complete(number)
            course = (measured(1.0, 0.001), measured(2.0, 0.002))
            whole = replace(each, run=replace(each.run, intervals=course))
            files.append(self.file(f"{number}", whole))
        paths = {each: self.folder / f"whole.{each}" for each in ("csv", "html", "hgrm")}
        options = [f"--{name}={path}" for name, path in paths.items()]
        self.assertEqual(main(["merge", *options, *files]), 0)
        rows = [*csv.DictReader(paths["csv"].open())]
        self.assertEqual([row["at"] for row in rows], ["1.250", "2.250"])
        self.assertEqual([row["secured"] for row in rows], ["98", "98"])
        self.assertEqual([row["round_trip_count"] for row in rows], ["2", "2"])
        page = paths["html"].read_text()
        self.assertIn("1970-01-01 00:16 UTC. tlsdemo merge ", page)
        self.assertIn("Course", page)
        self.assertTrue((self.folder / "whole.round-trip.hgrm").exists())

    def test_a_missing_shard_is_a_failure(self) -> None:
        self.assertEqual(main(["merge", self.file("1", complete(1, 3))]), 1)
        problem = "problem: shard 2 of 3 is missing; shard 3 of 3 is missing\n"
        self.assertIn(problem, self.output.getvalue())

    def test_a_check_that_does_not_hold_is_a_failure(self) -> None:
        files = [self.file(f"{number}", complete(number)) for number in (1, 2)]
        self.assertEqual(main(["merge", "--check=p99(round-trip)<1s", *files]), 0)
        self.assertEqual(main(["merge", "--check=p99(round-trip)<1ms", *files]), 1)
        self.assertIn("check p99(round-trip)<1ms: NO, 2.00 ms\n", self.output.getvalue())

    def test_what_is_not_of_one_load_is_one_line(self) -> None:
        good = self.file("good", complete(1))
        for content, why in (
            (complete(1), "shard 1 of 2 is there twice, in "),
            (shard(2, plan="xyz"), "they are not of the same load"),
            ("{", "is not JSON, and so no result of a shard"),
            (damaged(2), "a histogram of an interval is damaged"),
            ("{}", "is not the result of a shard: its schema is None"),
            ('{"schema": 1, "runs": []}', "is not the result of a shard: it is of a whole load"),
        ):
            other = self.file("other", content)
            self.assertIn(why, self.refused(lambda other=other: main(["merge", good, other])))  # type: ignore[misc]

    def test_bad_arguments_are_one_line(self) -> None:
        good = self.file("good", complete(1))
        for arguments, why in (
            ([], "which files? Those that tlsclient --shard --json has written"),
            (["/nowhere"], "'/nowhere': No such file or directory"),
            (
                [self.file("late", shard(start_at=1e300))],
                f"'{self.folder / 'late'}' says that it began at 1e+300, which is no time",
            ),
            (["--json=a", "--html=a", good], "--html is 'a', which is --json as well"),
            (["--check=x", good], "--check is 'x', 'x' is no objective"),
            (["--json=/nowhere/x", good], "--json is '/nowhere/x', and that folder does not exist"),
        ):
            message = self.refused(lambda given=arguments: main(["merge", *given]))  # type: ignore[misc]
            self.assertTrue(message.startswith(f"tlsdemo merge: {why}"), message)
