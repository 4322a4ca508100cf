from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import interval
from tests.reporting.test_latencies import recorded
from tlsdemo.reporting.interval import Interval, distributions
from tlsdemo.reporting.latencies import ROUND_TRIP, Latencies
from tlsdemo.reporting.merged_course import merged_course, read_interval
from tlsdemo.reporting.plain_values import BadValues


def measured(at: float, *seconds: float, **changes: Any) -> Interval:
    latencies = recorded(*seconds, name=ROUND_TRIP) if seconds else Latencies()
    return interval(
        at, latencies=distributions(latencies), histograms=latencies.as_json(), **changes
    )


class Merged(SynchronousTestCase):
    def test_what_shards_did_in_the_same_second_is_one_interval(self) -> None:
        one = [measured(1.1, 0.001, 0.002), measured(2.2, 0.003)]
        other = [measured(1.0, 0.009), measured(2.05, 0.003, seconds=1.05)]
        first, second = merged_course([(0.0, one), (0.05, other)])
        self.assertEqual((round(first.at, 2), first.counters.secured), (1.1, 98))
        self.assertEqual((round(second.at, 2), second.counters.begun), (2.2, 100))
        self.assertEqual(second.seconds, 1.05)
        whole = distributions(recorded(0.001, 0.002, 0.009, name=ROUND_TRIP))
        self.assertEqual(first.latencies, whole)
        self.assertEqual((first.outstanding, len(first.workers), first.rate), (4, 4, 50.0))

    def test_a_shard_that_began_late_is_where_it_was_in_time(self) -> None:
        merged = merged_course([(0.0, [measured(1.0), measured(2.0)]), (1.0, [measured(1.0)])])
        self.assertEqual([each.counters.secured for each in merged], [49, 98])

    def test_phases_and_windows_are_not_mixed(self) -> None:
        parts = [
            measured(0.4, seconds=0.4, phase="connecting", window=0),
            measured(0.7, seconds=0.3, window=1),
            measured(1.0, seconds=0.3, window=2),
        ]
        merged = merged_course([(0.0, parts), (0.0, parts)])
        self.assertEqual([each.window for each in merged], [0, 1, 2])
        self.assertEqual([each.seconds for each in merged], [0.4, 0.3, 0.3])

    def test_two_intervals_of_a_shard_in_a_second_are_as_long_as_both(self) -> None:
        short = [measured(0.5, seconds=0.4), measured(0.9, seconds=0.4)]
        (merged,) = merged_course([(0.0, short), (0.0, [measured(1.0)])])
        self.assertEqual((merged.seconds, len(merged.workers)), (1.0, 4))
        self.assertEqual(merged.outstanding, 4)

    def test_a_damaged_histogram_is_said(self) -> None:
        bad = replace(measured(1.0, 0.001), histograms={"round trip": "x"})
        problem = self.assertRaises(BadValues, merged_course, [(0.0, [bad])])
        self.assertIn("a histogram of an interval is damaged: ", str(problem))

    def test_an_interval_survives_json(self) -> None:
        whole = measured(1.0, 0.001, rate=0.0)
        written = json.loads(json.dumps(whole.as_json()))
        (merged,) = merged_course([(0.0, [read_interval(written)])])
        del written["histograms"]
        self.assertEqual(merged.as_json(), written)
        # One that no shard has written has no histograms.
        self.assertEqual(read_interval(interval(1.0).as_json()).histograms, {})
