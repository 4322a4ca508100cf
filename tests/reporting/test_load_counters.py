import json

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.load_counters import LoadCounters

ONE = LoadCounters(
    begun=10,
    secured=8,
    clean=7,
    sent=100,
    received=5,
    packets=4,
    failed={"a": 1, "b": 2},
    details={"a": "first"},
)
OTHER = LoadCounters(
    begun=1,
    secured=2,
    clean=3,
    sent=4,
    received=5,
    packets=6,
    failed={"b": 1, "c": 3},
    details={"a": "second", "c": "third"},
)


class Counters(SynchronousTestCase):
    def test_of_several_workers_are_added(self) -> None:
        self.assertEqual(
            LoadCounters.total(iter([ONE, OTHER])),
            LoadCounters(
                begun=11,
                secured=10,
                clean=10,
                sent=104,
                received=10,
                packets=10,
                failed={"a": 1, "b": 3, "c": 3},
                details={"a": "first", "c": "third"},
            ),
        )

    def test_of_no_workers_are_zero(self) -> None:
        self.assertEqual(LoadCounters.total([]), LoadCounters())

    def test_have_the_number_of_connections_that_ended_in_order_or_not(self) -> None:
        self.assertEqual((ONE.failures, ONE.ended), (3, 10))
        self.assertEqual((LoadCounters().failures, LoadCounters().ended), (0, 0))

    def test_can_be_restored_from_json(self) -> None:
        for each in (ONE, LoadCounters()):
            self.assertEqual(LoadCounters.from_json(json.loads(json.dumps(each.as_json()))), each)
