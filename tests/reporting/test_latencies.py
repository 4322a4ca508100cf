from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting import latencies as module
from tlsdemo.reporting.latencies import CONNECT, HANDSHAKE, ROUND_TRIP, Latencies

SECONDS = st.lists(st.floats(0.0, 4000.0), max_size=50)


def recorded(*seconds: float, name: str = ROUND_TRIP) -> Latencies:
    latencies = Latencies()
    for each in seconds:
        latencies.record(name, each)
    return latencies


class Merging(SynchronousTestCase):
    @given(st.lists(SECONDS, max_size=5))
    def test_the_sum_of_several_is_byte_for_byte_what_one_would_have_recorded(
        self, shares: list[list[float]]
    ) -> None:
        there_and_back = (
            Latencies.from_json(json.loads(json.dumps(recorded(*share).as_json())))
            for share in shares
        )
        whole = recorded(*(each for share in shares for each in share))
        self.assertEqual(Latencies.total(there_and_back).as_json(), whole.as_json())

    def test_intervals_of_one_worker_add_up_as_well(self) -> None:
        total = Latencies()
        for each in (0.001, 0.002, 0.5):
            total.add(Latencies.from_json(recorded(each).as_json()))
        self.assertEqual(total.as_json(), recorded(0.001, 0.002, 0.5).as_json())


class Percentiles(SynchronousTestCase):
    def test_are_true_to_a_thousandth(self) -> None:
        latencies = recorded(*(each / 1000 for each in range(1, 1001)))
        found = latencies.percentiles(ROUND_TRIP)
        assert found is not None
        for value, expected in ((found.p50, 0.5), (found.p99, 0.99), (found.max, 1.0)):
            self.assertLess(abs(value - expected), expected / 1000 + 1e-6)
        self.assertEqual(found.count, 1000)
        self.assertLess(abs(found.mean - 0.5005), 0.001)

    def test_of_a_name_are_those_of_all_its_kinds(self) -> None:
        latencies = recorded(0.001, name=f"{HANDSHAKE}/X25519")
        latencies.add(recorded(0.003, 0.003, name=f"{HANDSHAKE}/P-256"))
        self.assertEqual(latencies.kinds(HANDSHAKE), ["P-256", "X25519"])
        self.assertEqual(latencies.count(HANDSHAKE), 3)
        self.assertEqual(latencies.count(f"{HANDSHAKE}/P-256"), 2)
        self.assertEqual(
            [*latencies.summary_as_json()], [HANDSHAKE, "handshake/P-256", "handshake/X25519"]
        )

    def test_of_nothing_are_unknown(self) -> None:
        nothing = Latencies()
        self.assertEqual(
            (nothing.at(CONNECT, 99.0), nothing.mean(CONNECT), nothing.percentiles(CONNECT)),
            (None, None, None),
        )
        self.assertEqual(nothing.count(CONNECT), 0)

    def test_what_is_out_of_bounds_counts_as_the_bound(self) -> None:
        latencies = recorded(-1.0, 1e9)
        self.assertEqual(latencies.count(ROUND_TRIP), 2)
        self.assertLess(abs((latencies.at(ROUND_TRIP, 100.0) or 0.0) - 3600.0), 5.0)

    def test_a_stall_counts_for_all_that_it_delayed(self) -> None:
        latencies = Latencies()
        latencies.record_stall("lag", 0.1, 0.01)
        self.assertEqual(latencies.count("lag"), 10)


class Without(SynchronousTestCase):
    def test_the_library_nothing_is_recorded(self) -> None:
        self.patch(module, "CAN_MEASURE", False)
        latencies = recorded(0.1)
        self.assertEqual((latencies.count(ROUND_TRIP), latencies.as_json()), (0, {}))


class Means(SynchronousTestCase):
    @settings(max_examples=15)  # The library's function takes long.
    @given(SECONDS.filter(bool))
    def test_are_those_of_the_library(self, seconds: list[float]) -> None:
        measured = recorded(*seconds)
        expected = measured.histogram(ROUND_TRIP).get_mean_value() / 1e6
        found = measured.mean(ROUND_TRIP)
        assert found is not None
        self.assertAlmostEqual(found / expected, 1.0, places=9)
