import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult, ServerSnapshots
from tlsdemo.reporting.snapshot import Snapshot

SNAPSHOTS = ServerSnapshots(
    started=Snapshot(at=1.0, cpu=0.5, opened=10, events=5, lag=9.0, failed={"truncated": 1}),
    secured=Snapshot(at=2.0, cpu=0.9, opened=14, events=5, lag=0.2, failed={"truncated": 1}),
    drained=Snapshot(
        at=7.0,
        cpu=2.9,
        opened=14,
        bytes_in=3_000_000,
        bytes_out=1_000_000,
        events=2005,
        records=8000,
        lag=0.1,
        failed={"truncated": 3},
    ),
)


def result(**changes: Any) -> RunResult:
    fields: dict[str, Any] = {
        "name": "pair",
        "connections": 4,
        "counters": LoadCounters(begun=4, secured=4, clean=4, sent=3_000_000, packets=8000),
        "securing": 1.0,
        "sending": 5.0,
        "arrived": 3_000_000,
        "snapshots": SNAPSHOTS,
    }
    return RunResult(**{**fields, **changes})


class ARun(SynchronousTestCase):
    def test_has_lost_what_was_sent_and_did_not_arrive(self) -> None:
        self.assertEqual(result().lost, 0)
        self.assertEqual(result(arrived=2_999_990).lost, 10)
        self.assertIsNone(result(arrived=None).lost)

    def test_is_complete_if_every_connection_ended_in_order(self) -> None:
        self.assertTrue(result().complete)
        self.assertFalse(result(connections=5).complete)
        self.assertFalse(result(problem="a worker died").complete)

    def test_has_a_rate_of_what_was_sent(self) -> None:
        self.assertEqual(result().rate, 0.6)
        self.assertEqual(result(sending=0.0).rate, 0.0)

    def test_has_the_cpu_time_of_sending_for_each_megabyte_of_both_directions(self) -> None:
        self.assertAlmostEqual(result().cpu_per_megabyte or 0.0, 2.0 / 4)

    def test_has_the_cpu_time_of_securing_for_each_connection(self) -> None:
        self.assertAlmostEqual(result().cpu_per_connection or 0.0, 0.4 / 4)

    def test_has_no_cpu_time_where_nothing_was_done(self) -> None:
        idle = result(
            snapshots=ServerSnapshots(SNAPSHOTS.started, SNAPSHOTS.started, SNAPSHOTS.started)
        )
        self.assertIsNone(idle.cpu_per_megabyte)
        self.assertIsNone(idle.cpu_per_connection)

    def test_has_the_longest_lag_of_its_own_time(self) -> None:
        self.assertEqual(result().lag, 0.2)
        later = ServerSnapshots(SNAPSHOTS.started, SNAPSHOTS.drained, SNAPSHOTS.secured)
        self.assertEqual(result(snapshots=later).lag, 0.2)

    def test_has_the_increase_of_the_servers_counters(self) -> None:
        server = result().server
        assert server is not None
        self.assertEqual((server.opened, server.events), (4, 2000))
        self.assertEqual(server.failed, {"truncated": 2})

    def test_knows_nothing_about_a_server_without_counters(self) -> None:
        alone = result(snapshots=None)
        self.assertEqual(
            (alone.cpu_per_megabyte, alone.cpu_per_connection, alone.server, alone.lag),
            (None, None, None, None),
        )


class AsJSON(SynchronousTestCase):
    def test_a_run_has_all_its_metrics(self) -> None:
        written = json.loads(json.dumps(result().as_json()))
        self.assertAlmostEqual(written.pop("server_cpu_seconds_per_megabyte"), 0.5)
        self.assertAlmostEqual(written.pop("server_cpu_seconds_per_connection"), 0.1)
        self.assertEqual(
            written,
            {
                "mode": "pair",
                "connections": 4,
                "secured": 4,
                "failed": {},
                "seconds_until_secured": 1.0,
                "seconds_sending": 5.0,
                "packets": 8000,
                "sent": 3_000_000,
                "arrived": 3_000_000,
                "lost": 0,
                "megabytes_per_second": 0.6,
                "events": 2000,
                "bytes_per_event": 1500.0,
                "records_per_event": 4.0,
                "server_greatest_lag_seconds": 0.2,
                "server_failed": {"truncated": 2},
                "problem": None,
                "groups": {},
                "resumed": 0,
                "closed_without_close_notify": 0,
                "opened_first": None,
                "encrypted": True,
                "counters": result().counters.as_json(),
                "unit": "connections",
                "opening": None,
                "windows": [],
                "greatest_rate": None,
                "intervals": [],
                "probe": None,
            },
        )

    def test_what_is_unknown_is_null(self) -> None:
        written = json.loads(json.dumps(result(snapshots=None, arrived=None).as_json()))
        unknown = {name for name, value in written.items() if value is None}
        self.assertEqual(
            unknown,
            {
                "opening",
                "opened_first",
                "greatest_rate",
                "probe",
                "arrived",
                "lost",
                "events",
                "bytes_per_event",
                "records_per_event",
                "server_cpu_seconds_per_megabyte",
                "server_cpu_seconds_per_connection",
                "server_greatest_lag_seconds",
                "server_failed",
                "problem",
            },
        )
