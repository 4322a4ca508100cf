"""The reports of a real load, and the comparison of two servers of which the truth is known."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from tests.end_to_end.slow_load import LoadCase


class Files(LoadCase):
    def test_have_the_same_counts_as_the_result(self) -> None:
        command = self.load(
            self.known(),
            *("--scenario=churn", "--packets=1", "--conn=4", "--rate=40", "--duration=3"),
            *("--csv=a.csv", "--hgrm=a.hgrm", "--html=a.html", "--quiet"),
        )
        run = self.result(command)
        (window,) = run["windows"]
        with Path(self.home, "a.csv").open() as file:
            rows = [*csv.DictReader(file)]
        for name, column in (("secured", "secured"), ("packets", "packets"), ("sent", "sent")):
            self.assertEqual(sum(int(row[column]) for row in rows), run[name], name)
        measured = sum(int(row["handshake_count"] or 0) for row in rows)
        self.assertEqual(measured, window["latencies"]["handshake"]["count"])
        times = [float(row["at"]) for row in rows]
        lengths = [float(row["seconds"]) for row in rows]
        self.assertEqual(times, sorted(times))
        # They follow each other without a gap, but for the rounding of both.
        self.assertAlmostEqual(times[-1], sum(lengths), places=2)
        distribution = Path(self.home, "a.handshake.hgrm").read_text().splitlines()
        self.assertIn(f"TotalCount     = {measured:12.3f}]", distribution[-2])
        self.assertIn('<h2 id="course-title">Course</h2>', Path(self.home, "a.html").read_text())
        self.assertNotIn("tlsclient: sending", command.output)


class Comparisons(LoadCase):
    def test_find_that_a_server_answers_later_and_not_that_it_differs_from_itself(self) -> None:
        """10 ms against 30 ms: far beyond the noise of a busy machine."""
        slow = self.known(answer_after=0.03).connect.removeprefix("--connect=")
        command = self.load(
            self.known(answer_after=0.01),
            *(f"--versus={slow}", "--repeat=4", "--scenario=pingpong", "--conn=4"),
            *("--rate=40", "--duration=1", "--quiet"),
        )
        self.assertEqual(command.wait(), 0, command.output)
        self.assertRegex(command.output, r"p50\(round-trip\) .* WORSE")
        runs = json.loads(Path(self.home, "result.json").read_text())["runs"]
        self.assertEqual([run["round"] for run in runs], [1, 1, 2, 2, 3, 3, 4, 4])
        for limit, status in (("p50(round-trip)>+20%", 1), ("p50(round-trip)>+900%", 0)):
            compared = self.start(
                *(sys.executable, "-m", "tlsdemo", "compare", "result.json", f"--fail-if={limit}")
            )
            self.assertEqual(compared.wait(), status, compared.output)
