from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import interval, run, window
from tlsdemo.reporting.latencies import HANDSHAKE, Latencies
from tlsdemo.reporting.load_charts import course_charts, distribution_charts, labelled_windows
from tlsdemo.reporting.load_counters import LoadCounters


class Distributions(SynchronousTestCase):
    def test_reach_from_the_least_to_the_greatest_value(self) -> None:
        measured = Latencies()
        for value in range(1, 1001):
            measured.record(HANDSHAKE, value / 1000)
        (chart,) = distribution_charts([("load", window(latencies=measured))])
        (line,) = chart.lines
        at = dict(zip(chart.x, line.values, strict=True))
        self.assertEqual(
            (chart.title, chart.kind, line.label), ("Handshake", "percentiles", "load")
        )
        for x, expected in ((0.0, 1.0), (1.0, 900.0), (2.0, 990.0), (3.0, 999.0)):
            self.assertAlmostEqual((at[x] or 0.0) / expected, 1.0, places=2)
        self.assertAlmostEqual((line.values[-1] or 0.0) / 1000.0, 1.0, places=2)

    def test_have_a_line_for_each_window_on_one_axis(self) -> None:
        charts = [*distribution_charts([("a", window(count=5)), ("b", window(count=500))])]
        self.assertEqual([chart.title for chart in charts], ["Handshake", "Round trip"])
        short, long = charts[0].lines
        self.assertEqual(len(short.values), len(long.values))
        self.assertIsNone(short.values[-1])
        self.assertIsNotNone(long.values[-1])

    def test_of_many_windows_are_chosen_evenly_with_the_first_and_the_last(self) -> None:
        windows = [(str(number), window(number, count=2)) for number in range(1, 14)]
        chart = next(distribution_charts(windows))
        self.assertEqual([line.label for line in chart.lines], ["1", "4", "7", "10", "13"])

    def test_are_named_by_what_tells_them_apart(self) -> None:
        one = run([window(1, 0.0, 2)])
        self.assertEqual(
            [label for label, _ in labelled_windows({"a": one})], ["before the load", "closed loop"]
        )
        steps = run([window(1, 50.0, 2), window(2, 100.0, 2)], opening=None)
        labels = [label for label, _ in labelled_windows({"a": steps, "b": steps})]
        self.assertEqual(labels, ["a, 1. 50/s", "a, 2. 100/s", "b, 1. 50/s", "b, 2. 100/s"])


class TheCourse(SynchronousTestCase):
    def test_shows_what_was_ever_above_0(self) -> None:
        charts = {chart.title: chart for chart in course_charts({"a": run()})}
        self.assertEqual(
            [*charts],
            ["Work a second", "Round trip", "Cleartext, MB a second", "The busiest worker: CPU, %"],
        )
        labels = [line.label for line in charts["Work a second"].lines]
        self.assertEqual(labels, ["due", "handshakes", "answers", "packets"])
        self.assertEqual(charts["The busiest worker: CPU, %"].lines[0].values, [50.0] * 10)

    def test_shows_failures_by_their_cause(self) -> None:
        failing = interval(1.0, counters=LoadCounters(failed={"reset": 2, "truncated": 1}))
        charts = {chart.title: chart for chart in course_charts({"a": run(intervals=(failing,))})}
        lines = charts["Failures a second"].lines
        self.assertEqual([(each.label, each.values) for each in lines],
                         [("reset", [2.0]), ("truncated", [1.0])])  # fmt: skip

    def test_of_several_runs_is_side_by_side_at_the_times_of_each(self) -> None:
        later = run(intervals=(interval(1.5), interval(2.5)))
        early = run(intervals=(interval(1.0), interval(2.0)))
        charts = {chart.title: chart for chart in course_charts({"a": early, "b": later})}
        chart = charts["Handshakes a second"]
        self.assertEqual(chart.x, [1.0, 1.5, 2.0, 2.5])
        self.assertEqual([line.values for line in chart.lines],
                         [[49.0, None, 49.0, None], [None, 49.0, None, 49.0]])  # fmt: skip
        self.assertIn("p99 of round trip", charts)

    def test_of_a_run_without_intervals_is_empty(self) -> None:
        self.assertEqual([*course_charts({"a": run(intervals=())})], [])
