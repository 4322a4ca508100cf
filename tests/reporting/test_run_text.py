from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.test_probe_result import probed
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.probe_result import ProbeResult
from tlsdemo.reporting.run_result import RunResult, ServerSnapshots
from tlsdemo.reporting.run_text import (
    cost_line,
    events_text,
    failures_text,
    megabytes,
    result_lines,
    run_line,
    statistics_line,
    summary_lines,
    versions_text,
)
from tlsdemo.reporting.snapshot import Snapshot

BEFORE = Snapshot(at=5.0, bytes_in=1_000_000, events=10, records=20)
NOW = Snapshot(
    at=7.0,
    cpu=1.234,
    opened=12,
    open=3,
    secured=11,
    clean=6,
    bytes_in=3_000_000,
    bytes_out=500_000,
    events=2010,
    records=8020,
    lag=0.0326,
    failed={"wrong name": 1, "truncated": 2},
)


class Texts(SynchronousTestCase):
    def test_of_bytes_are_in_bytes_below_10000_and_in_mb_above(self) -> None:
        self.assertEqual(megabytes(0), "0 bytes")
        self.assertEqual(megabytes(9_999), "9,999 bytes")
        self.assertEqual(megabytes(10_000), "0.01 MB")
        self.assertEqual(megabytes(1_234_567_890), "1,234.57 MB")

    def test_of_failures_have_the_close_reasons(self) -> None:
        self.assertEqual(failures_text(Snapshot()), "failed 0")
        self.assertEqual(failures_text(NOW), "failed 3 (truncated 2, wrong name 1)")

    def test_of_probes_are_beside_the_failures(self) -> None:
        self.assertEqual(failures_text(Snapshot(probes=3)), "failed 0, probes 3")

    def test_of_a_result_tell_the_first_failure_of_each_kind(self) -> None:
        counters = LoadCounters(
            failed={"connecting failed": 5, "wrong name": 1, "idle": 2},
            details={"wrong name": "not valid for x", "connecting failed": "refused"},
        )
        lines = [*result_lines(RunResult("pair-1", 8, counters, 0.1, 0.1))]
        self.assertEqual(
            lines[1:3],
            ["connecting failed, the first of 5: refused", "wrong name: not valid for x"],
        )

    def test_of_events_have_the_average_size(self) -> None:
        self.assertEqual(
            events_text(NOW.since(BEFORE)), "2,000 events, 1,000.0 bytes and 4.0 records an event"
        )

    def test_of_versions_name_each_library_once(self) -> None:
        self.assertEqual(
            versions_text({"Twisted": "24.7.0", "OpenSSL": "OpenSSL 3.0.1"}),
            "Twisted 24.7.0, OpenSSL 3.0.1",
        )

    def test_of_costs_have_the_metrics_that_are_known(self) -> None:
        secured, drained = Snapshot(cpu=0.1, opened=10), Snapshot(cpu=0.5, bytes_in=2_000_000)
        for before, after, expected in (
            (secured, drained, "server CPU 200.0 ms a MB, 10.00 ms a connection"),
            (secured, secured, "server CPU 10.00 ms a connection"),
            (Snapshot(), Snapshot(), "server CPU unknown"),
        ):
            phases = ServerSnapshots(Snapshot(), before, after)
            run = RunResult("pair", 10, LoadCounters(), 1.0, 1.0, snapshots=phases)
            self.assertEqual(cost_line(run), expected)
        self.assertEqual(cost_line(RunResult("pair", 10, LoadCounters(), 1.0, 1.0)),
                         "server CPU unknown")  # fmt: skip


class TheLineOfARunningServer(SynchronousTestCase):
    def test_has_the_connections_and_the_latest_traffic(self) -> None:
        self.assertEqual(
            statistics_line(NOW, NOW.since(BEFORE)),
            "open 3, secured 11, failed 3 (truncated 2, wrong name 1); "
            "cleartext 3.50 MB at 1.25 MB/s; "
            "2,000 events, 1,000.0 bytes and 4.0 records an event; greatest lag 33 ms",
        )

    def test_has_the_bytes_of_the_sink_if_there_is_one(self) -> None:
        line = statistics_line(Snapshot(sink_received=20_000), Snapshot())
        self.assertIn("; cleartext 0 bytes at 0.00 MB/s, sink received 0.02 MB; ", line)


class TheSummary(SynchronousTestCase):
    def test_has_three_lines(self) -> None:
        self.assertEqual(
            list(summary_lines(NOW, open_at_stop=3, lag=0.25)),
            [
                "summary: 12 connections, 11 secured, 6 ended in order, "
                "failed 3 (truncated 2, wrong name 1), 3 open when it was stopped",
                "summary: cleartext 3.00 MB in, 0.50 MB out",
                "summary: 2,010 events, 1,492.5 bytes and 4.0 records an event; "
                "greatest lag 250 ms, CPU 1.23 s",
            ],
        )

    def test_has_the_bytes_of_the_sink_if_there_is_one(self) -> None:
        _, cleartext, _ = summary_lines(Snapshot(sink_received=0), open_at_stop=0, lag=0.0)
        self.assertEqual(
            cleartext, "summary: cleartext 0 bytes in, 0 bytes out, sink received 0 bytes"
        )


class TheLinesOfARun(SynchronousTestCase):
    COUNTERS = LoadCounters(
        begun=4,
        secured=3,
        clean=2,
        sent=3_000_000,
        packets=93_750,
        failed={"wrong name": 1, "truncated": 1},
    )

    def test_of_a_load_in_the_clear_do_not_call_it_secured(self) -> None:
        result = RunResult("a", 2, LoadCounters(secured=2), 1.0, 1.0, encrypted=False)
        self.assertEqual(
            next(result_lines(result)),
            "2 connections: 2 connected in the clear in 1.00 s, 0 failed, 0 ended in order",
        )

    def test_have_the_result(self) -> None:
        run = RunResult(
            "pair", 4, self.COUNTERS, 1.5, 2.0, 2_999_968, ServerSnapshots(BEFORE, NOW, NOW)
        )
        self.assertEqual(
            list(result_lines(run)),
            [
                "4 connections: 3 secured in 1.50 s, 2 failed (truncated 1, wrong name 1), "
                "2 ended in order",
                "93,750 packets, 3.00 MB in 2.00 s, 1.50 MB/s",
                "server: 2,000 events, 1,000.0 bytes and 4.0 records an event",
                "run pair: sent 3,000,000, received 2,999,968, lost 32 bytes",
            ],
        )

    def test_have_what_the_probe_measured(self) -> None:
        def line(probe: ProbeResult) -> str:
            return list(result_lines(RunResult("a", 2, LoadCounters(), 0.0, 0.0, probe=probe)))[2]

        self.assertRegex(
            line(probed(100, lag=0.0015)),
            r"^probe, 50 messages/s: p50 50\.\d\d, p90 90\.\d\d, p99 99\.\d\d, max 100\.\d\d ms "
            r"\(100 measured; the probe itself was 1\.5 ms late\)$",
        )
        self.assertRegex(
            line(probed(80, unanswered=20)),
            r"^probe, 50 messages/s: p50 50\.\d\d ms \(80 measured, 20 without an answer\)$",
        )
        self.assertEqual(line(probed(0)), "probe, 50 messages/s: no message came back (0 measured)")

    def test_say_what_is_unknown_and_what_failed(self) -> None:
        run = RunResult(
            "pair", 4, LoadCounters(sent=64), 0.0, 0.0, problem="stopped before its end"
        )
        self.assertEqual(
            list(result_lines(run)),
            [
                "4 connections: 0 secured in 0.00 s, 0 failed, 0 ended in order",
                "0 packets, 64 bytes in 0.00 s, 0.00 MB/s",
                "run pair: sent 64, received not known",
                "problem: stopped before its end",
            ],
        )

    def test_have_no_line_about_bytes_if_none_were_to_be_sent(self) -> None:
        run = RunResult("churn", 4, LoadCounters(secured=4, clean=4), 0.0, 0.0, opened_first=0)
        self.assertEqual(
            list(result_lines(run)),
            ["4 connections at a time: 4 secured, 0 failed, 4 ended in order"],
        )

    def test_end_with_the_line_that_both_ends_print(self) -> None:
        self.assertEqual(run_line("x", 10, 4), "run x: sent 10, received 4, lost 6 bytes")
