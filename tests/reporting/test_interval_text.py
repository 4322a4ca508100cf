from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import interval
from tlsdemo.reporting.interval_text import failures_text, rate_texts, workers_text
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.window_result import WorkerLoad


class Texts(SynchronousTestCase):
    def test_have_the_rates_of_what_there_was(self) -> None:
        counters = LoadCounters(packets=4000, sent=3_000_000, missed=10)
        texts = rate_texts(interval(1.0, seconds=2.0, counters=counters))
        self.assertEqual(texts, ["2,000 packets/s", "5 not in time/s", "1.50 MB/s"])

    def test_have_the_most_frequent_causes(self) -> None:
        failed = {"a": 1, "b": 5, "c": 2, "d": 3, "e": 4}
        self.assertEqual(failures_text(failed), "b 5, e 4, d 3, 2 more causes")
        self.assertEqual(failures_text({"a": 1}), "a 1")

    def test_have_each_worker_or_the_range_of_many(self) -> None:
        workers = [WorkerLoad(each / 10, each / 1000) for each in range(1, 7)]
        self.assertEqual(workers_text(workers), "6, 10% to 60% CPU, 6.0 ms late")
        self.assertEqual(workers_text([WorkerLoad(0.5)]), "50% CPU")
