import io
from dataclasses import replace

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.test_probe_result import probed
from tlsdemo.reporting.comparison_table import ROWS, UNANSWERED, UNKNOWN, comparison_table
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult, ServerSnapshots
from tlsdemo.reporting.snapshot import Snapshot

KNOWN = RunResult(
    name="pair",
    connections=2000,
    counters=LoadCounters(
        secured=1999, clean=1998, sent=1_234_560_000, failed={"truncated": 1, "x": 1}
    ),
    securing=3.456,
    sending=10.0,
    arrived=1_234_559_000,
    snapshots=ServerSnapshots(
        started=Snapshot(cpu=1.0, opened=1),
        secured=Snapshot(cpu=3.0, opened=2001, lag=0.25),
        drained=Snapshot(cpu=8.0, opened=2001, bytes_in=10**9, events=500_000, records=10**7),
    ),
    probe=probed(100),
)
NO_COUNTERS = RunResult("starttls", 2000, LoadCounters(), 0.0, 0.0)


def rows(*runs: RunResult) -> dict[str, list[str]]:
    """Return the printed cells of each row, by the name of the row."""
    text = io.StringIO()
    Console(file=text, width=120).print(comparison_table(runs, "title"))
    cells = [
        [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")]
        for line in text.getvalue().splitlines()
        if "│" in line or "┃" in line
    ]
    return {name: values for name, *values in cells}


class TheTable(SynchronousTestCase):
    def test_has_a_column_for_each_run_in_their_order(self) -> None:
        self.assertEqual(rows(KNOWN, NO_COUNTERS)[""], ["pair", "starttls"])
        self.assertEqual(str(comparison_table([KNOWN], "a title").title), "a title")

    def test_has_a_row_for_each_metric_in_its_unit(self) -> None:
        written = {name: value for name, (value,) in rows(KNOWN).items() if name}
        self.assertEqual(
            written,
            {
                "connections": "2,000",
                "secured": "1,999",
                "failed": "2",
                "until all were secured, s": "3.46",
                "sent, MB": "1,234.56",
                "MB/s": "123.46",
                "events": "500,000",
                "bytes per event": "2,000.0",
                "records per event": "20.0",
                "server CPU per MB, ms": "5.0",
                "server CPU per connection, ms": "1.00",
                "greatest lag, ms": "250",
                "probe p50, ms": "50.0",
                "probe p99, ms": "99.0",
                "lost bytes": "1,000",
            },
        )
        self.assertEqual(list(written), [name for name, _ in ROWS])

    def test_has_a_dash_for_each_unknown_metric(self) -> None:
        unknown = {name for name, values in rows(NO_COUNTERS).items() if values == [UNKNOWN]}
        self.assertEqual(
            unknown,
            {
                "events",
                "bytes per event",
                "records per event",
                "server CPU per MB, ms",
                "server CPU per connection, ms",
                "greatest lag, ms",
                "probe p50, ms",
                "probe p99, ms",
                "lost bytes",
            },
        )

    def test_says_of_a_probe_that_too_few_messages_came_back(self) -> None:
        written = rows(
            replace(KNOWN, probe=probed(80, unanswered=20)),
            replace(KNOWN, probe=probed(0, unanswered=5)),
            replace(KNOWN, probe=probed(0)),
        )
        self.assertEqual(written["probe p50, ms"], ["50.0", UNANSWERED, UNKNOWN])
        self.assertEqual(written["probe p99, ms"], [UNANSWERED, UNANSWERED, UNKNOWN])
