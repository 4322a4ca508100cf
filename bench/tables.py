"""The tables of a report, as data, and their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.measures import growth, handshakes, memory, pipeline, records, responsiveness, workers
from bench.samples import Results

NOT_COUNTED = "not counted"
NOT_IN_THIS = "not part of this"


@dataclass(frozen=True)
class Column:
    """One column: a metric of a case, and how many decimals it has."""

    title: str
    case: str
    metric: str
    decimals: int


@dataclass(frozen=True)
class Table:
    """One table: a row for each peer that was in the measure."""

    title: str
    measure: str
    columns: Sequence[Column]
    note: str = ""


def tables(results: Results) -> Iterator[Table]:
    """Return the tables of what was measured, in the order of the report."""
    makers: dict[str, Callable[[list[str]], Iterator[Table]]] = {
        records.NAME: _records,
        pipeline.NAME: _pipeline,
        handshakes.NAME: _handshakes,
        memory.NAME: _memory,
        responsiveness.NAME: _responsiveness,
        growth.NAME: _growth,
        workers.NAME: _workers,
    }
    for name, make in makers.items():
        if results.cases.get(name):
            yield from make(results.cases[name])


def _records(cases: list[str]) -> Iterator[Table]:
    groups = dict.fromkeys(case.partition(" of ")[0] for case in cases)
    for metric, title, decimals in (
        ("cpu_us_a_record", "µs of CPU a record", 2),
        ("cpu_ms_a_megabyte", "ms of CPU a MB", 2),
        ("megabytes_a_second", "MB/s", 0),
        ("bytes_an_event", "bytes an event of the application", 0),
        ("busy_percent", "per cent of the time that the proxy was busy", 0),
    ):
        for group in groups:
            chosen = [case for case in cases if case.startswith(f"{group} of ")]
            yield Table(
                f"{title}, {group} connection{'s' if group != '1' else ''}",
                records.NAME,
                [Column(case.partition(" of ")[2], case, metric, decimals) for case in chosen],
            )


def _pipeline(cases: list[str]) -> Iterator[Table]:
    for metric, title in (
        ("megabytes_a_second", "MB/s through client, proxy and sink in one process"),
        ("megabytes_a_cpu_second", "MB a second of CPU time"),
    ):
        yield Table(
            f"Node's own workload: {title}",
            pipeline.NAME,
            [Column(case, case, metric, 1) for case in cases],
            "tlsdemo's client hands over small writes in lists (`writeSequence`); with \"a call "
            'each" it does not. The others have no such call.',
        )


def _handshakes(cases: list[str]) -> Iterator[Table]:
    yield Table(
        "ms of CPU a handshake",
        handshakes.NAME,
        [Column(case, case, "cpu_ms_a_handshake", 2) for case in cases],
    )
    if handshakes.AT_ONCE in cases:
        column = Column("seconds", handshakes.AT_ONCE, "seconds_until_all", 2)
        yield Table("Seconds until all connections at once are secured", handshakes.NAME, [column])


def _memory(cases: list[str]) -> Iterator[Table]:
    yield Table(
        "KiB an idle connection",
        memory.NAME,
        [Column(case, case, "kib_a_connection", 1) for case in cases],
        "Anonymous memory of all processes. A proxy needs two descriptors a connection, so the "
        "limit of the system may allow fewer than 20,000 connections.",
    )


def _responsiveness(cases: list[str]) -> Iterator[Table]:
    for case in cases:
        columns = [
            Column(f"{kind}, p{part}", case, f"{kind}_p{part}_ms", 1)
            for kind in ("probe", "fresh")
            for part in (50, 99)
        ]
        yield Table(
            f"Milliseconds that a probe and a fresh connection wait, {case}",
            responsiveness.NAME,
            [
                *columns,
                Column("records/s", case, "records_a_second", 0),
                Column("busy, %", case, "busy_percent", 0),
            ],
        )


def _growth(cases: list[str]) -> Iterator[Table]:
    for metric, title in (
        ("cpu_us_a_record", "µs of CPU a record"),
        ("cpu_ms_a_handshake", "ms of CPU a handshake"),
    ):
        yield Table(
            f"Growth: {title}, bursts of 64 records" if "record" in metric else f"Growth: {title}",
            growth.NAME,
            [Column(case, case, metric, 2) for case in cases],
        )


def _workers(_cases: list[str]) -> Iterator[Table]:
    yield Table(
        "More than one process, on all processors, which the load shares",
        workers.NAME,
        [
            Column("records/s", workers.RECORDS, "records_a_second", 0),
            Column("CPU a record, µs", workers.RECORDS, "cpu_us_a_record", 2),
            Column("handshakes/s", workers.HANDSHAKES, "handshakes_a_second", 0),
            Column("CPU a handshake, ms", workers.HANDSHAKES, "cpu_ms_a_handshake", 2),
        ],
        "A client's handshake costs as much as a server's, so that half of the processors' time "
        "at most is left for handshakes of the proxy.",
    )


@dataclass(frozen=True)
class Cell:
    """The text of a cell; ``measured`` is False if it says why there is no figure."""

    text: str
    measured: bool


def cell(results: Results, table: Table, column: Column, peer: str) -> Cell:
    """Return the median and the extremes, or why there is none."""
    found = results.spread(table.measure, column.case, peer, column.metric)
    if found is not None:
        middle, least, most = (
            f"{value:,.{column.decimals}f}" for value in (found.median, found.least, found.most)
        )
        return Cell(middle if least == most else f"{middle} ({least} to {most})", True)
    problem = results.why_missing(table.measure, column.case, peer)
    if problem is not None:
        return Cell(problem, False)
    key = (table.measure, column.case, peer)
    measured = any((each.measure, each.case, each.peer) == key for each in results.samples)
    return Cell(NOT_COUNTED if measured else NOT_IN_THIS, False)


def rows(results: Results, table: Table) -> Iterator[tuple[str, list[Cell]]]:
    """Return the rows of a table: of every peer that takes part in it."""
    for peer in results.peers:
        cells = [cell(results, table, column, peer) for column in table.columns]
        if not {each.text for each in cells} <= {NOT_IN_THIS, NOT_COUNTED}:
            yield peer, cells
