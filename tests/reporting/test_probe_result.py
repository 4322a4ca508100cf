from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.latencies import ROUND_TRIP, Latencies
from tlsdemo.reporting.probe_result import ProbeResult


def probed(count: int, unanswered: int = 0, **changes: object) -> ProbeResult:
    """Return the result of messages that took 1 ms, 2 ms and so on."""
    latencies = Latencies()
    for number in range(1, count + 1):
        latencies.record(ROUND_TRIP, number / 1000)
    return ProbeResult(50.0, latencies, unanswered, **changes)  # type: ignore[arg-type]


class AProbe(SynchronousTestCase):
    def test_has_the_percentiles_of_its_messages(self) -> None:
        result = probed(100)
        self.assertEqual(result.measured, 100)
        for percentile in (50.0, 99.0, 100.0):
            self.assertAlmostEqual((result.at(percentile) or 0) * 1000, percentile, 0)

    def test_counts_a_message_without_an_answer_as_the_slowest(self) -> None:
        result = probed(80, unanswered=20)
        self.assertAlmostEqual((result.at(50.0) or 0) * 1000, 50, 0)
        self.assertAlmostEqual((result.at(80.0) or 0) * 1000, 80, 0)
        self.assertIsNone(result.at(81.0))
        self.assertIsNone(result.at(100.0))

    def test_without_answers_has_no_percentiles(self) -> None:
        for result in (probed(0), probed(0, unanswered=5)):
            self.assertIsNone(result.at(50.0))

    def test_is_written_as_json_with_its_histogram(self) -> None:
        written = json.loads(json.dumps(probed(100, lag=0.001).as_json()))
        read = Latencies.from_json({ROUND_TRIP: written.pop("histogram")})
        self.assertEqual(read.count(ROUND_TRIP), 100)
        times = {name: round(written.pop(name) * 1000) for name in ("p50", "p90", "p99", "max")}
        self.assertEqual(times, {"p50": 50, "p90": 90, "p99": 99, "max": 100})
        self.assertEqual(
            written,
            {"rate": 50.0, "measured": 100, "unanswered": 0, "lag": 0.001, "problem": None},
        )
        self.assertIsNone(probed(0).as_json()["histogram"])
