import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.snapshot import Snapshot

EARLIER = Snapshot(
    at=10.0,
    cpu=1.0,
    opened=5,
    open=4,
    secured=4,
    clean=1,
    bytes_in=100,
    bytes_out=10,
    events=2,
    records=4,
    sink_received=90,
    lag=0.5,
    failed={"truncated": 1, "wrong name": 2},
)
NOW = Snapshot(
    at=12.5,
    cpu=1.25,
    opened=9,
    open=3,
    secured=7,
    clean=4,
    bytes_in=1100,
    bytes_out=30,
    events=7,
    records=24,
    sink_received=1000,
    lag=0.25,
    failed={"truncated": 4, "wrong name": 2, "backend lost": 1},
)


class ASnapshot(SynchronousTestCase):
    def test_since_an_earlier_one_has_the_increase(self) -> None:
        self.assertEqual(
            NOW.since(EARLIER),
            Snapshot(
                at=2.5,
                cpu=0.25,
                opened=4,
                open=3,
                secured=3,
                clean=3,
                bytes_in=1000,
                bytes_out=20,
                events=5,
                records=20,
                sink_received=910,
                lag=0.25,
                failed={"truncated": 3, "backend lost": 1},
            ),
        )

    def test_since_one_without_a_sink_has_no_sink(self) -> None:
        self.assertIsNone(NOW.since(Snapshot()).sink_received)
        self.assertIsNone(Snapshot().since(NOW).sink_received)

    def test_has_the_average_size_of_an_event(self) -> None:
        lately = NOW.since(EARLIER)
        self.assertEqual(lately.bytes_per_event, 200.0)
        self.assertEqual(lately.records_per_event, 4.0)

    def test_has_averages_of_0_before_the_first_event(self) -> None:
        none_yet = Snapshot(bytes_in=1, records=1)
        self.assertEqual((none_yet.bytes_per_event, none_yet.records_per_event), (0.0, 0.0))

    def test_adds_up_failures_and_both_directions(self) -> None:
        self.assertEqual(NOW.failures, 7)
        self.assertEqual(Snapshot().failures, 0)
        self.assertEqual(NOW.proxied, 1130)

    def test_can_be_restored_from_json(self) -> None:
        for each in (NOW, Snapshot()):
            self.assertEqual(Snapshot.from_json(json.loads(json.dumps(each.as_json()))), each)

    def test_of_a_newer_server_is_read_without_its_unknown_fields(self) -> None:
        self.assertEqual(Snapshot.from_json({"opened": 3, "news": 1}), Snapshot(opened=3))

    def test_of_another_kind_of_server_is_refused(self) -> None:
        strange: tuple[Any, ...] = (
            {"opened": "3"},
            {"opened": True},
            {"opened": -1},
            {"opened": 10**4200},
            {"opened": None},
            {"at": float("nan")},
            {"lag": float("inf")},
            {"cpu": "1"},
            {"failed": []},
            {"failed": {"truncated": "1"}},
        )
        for values in strange:
            self.assertRaises(ValueError, Snapshot.from_json, values)
