"""The summaries as a Markdown table with one row for each peer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.measurements import Measurement, Spread, Summary

NOT_KNOWN = "—"

HEADS = (
    "proxy",
    "CPU per handshake, ms",
    "CPU per record, µs",
    "CPU per MB, ms",
    "ratio to {reference}",
    "ratio of handshakes",
    "bytes an event",
)


def _spread(spread: Spread | None, factor: float, pattern: str) -> str:
    if spread is None:
        return NOT_KNOWN
    middle, least, most = (
        format(value * factor, pattern) for value in (spread.median, spread.least, spread.most)
    )
    return f"{middle} ({least} to {most})"


def _row(summary: Summary) -> list[str]:
    event = summary.bytes_per_event
    return [
        summary.peer,
        _spread(summary.per_handshake, 1e3, ".2f"),
        _spread(summary.per_record, 1e6, ".2f"),
        _spread(summary.per_megabyte, 1e3, ".1f"),
        _spread(summary.ratio, 1, ".2f"),
        _spread(summary.handshake_ratio, 1, ".2f"),
        NOT_KNOWN if event is None else f"{event.median:,.0f}",
    ]


def table(summaries: Sequence[Summary], reference: str) -> str:
    """Return the table, followed by the remarks."""
    heads = [head.format(reference=reference) for head in HEADS]
    rows = [_row(summary) for summary in summaries]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [line(heads), line(rule), *map(line, rows)]
    remarks = [f"{each.peer}: {remark}" for each in summaries for remark in each.remarks]
    return "\n".join([*lines, *(["", *remarks] if remarks else [])])


def measured(measurement: Measurement) -> str:
    """Return one measurement in a line."""
    metrics = (
        (measurement.per_handshake, 1e3, "ms a handshake"),
        (measurement.per_record, 1e6, "µs a record"),
        (measurement.per_megabyte, 1e3, "ms a MB"),
    )
    known = [f"{value * factor:.2f} {unit}" for value, factor, unit in metrics if value is not None]
    return "; ".join(filter(None, [", ".join(known), measurement.fault_text]))


def versions_lines(versions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Return the versions of the peers' components; peers with the same ones share a line."""
    together: dict[str, list[str]] = {}
    for peer, parts in versions.items():
        text = ", ".join(
            f"{name} {number.removeprefix(name).strip()}" for name, number in parts.items()
        )
        together.setdefault(text, []).append(peer)
    for text, peers in together.items():
        yield f"{', '.join(peers)}: {text}"
