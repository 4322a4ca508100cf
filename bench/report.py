"""The report of a run in Markdown: targets, tables, and the reasons for what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.environment import sentence, versions_lines
from bench.samples import Results
from bench.tables import NOT_COUNTED, NOT_IN_THIS, rows, tables
from bench.targets import verdicts


def markdown_table(heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table, its columns padded; all but the first are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *body, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(heads), line(rule), *map(line, body)])


def targets_table(results: Results) -> str:
    """Return the table of what is to be reached."""
    body = [
        [
            each.target.title,
            each.peer,
            each.relation,
            "—" if each.value is None else f"{each.value:.2f}",
            each.text,
        ]
        for each in verdicts(results)
    ]
    return markdown_table(["measure", "peer", "to reach", "found", ""], body)


def _tables(results: Results) -> Iterator[str]:
    for table in tables(results):
        reasons: dict[str, int] = {}
        body = []
        for peer, cells in rows(results, table):
            texts = [peer]
            for each in cells:
                if each.measured or each.text in (NOT_COUNTED, NOT_IN_THIS):
                    texts.append(each.text)
                else:
                    number = reasons.setdefault(f"{peer}: {each.text}", len(reasons) + 1)
                    texts.append(f"[{number}]")
            body.append(texts)
        if not body:
            continue
        yield f"### {table.title}"
        yield markdown_table(["peer", *(each.title for each in table.columns)], body)
        notes = [f"[{number}] {reason}" for reason, number in reasons.items()]
        if table.note:
            notes.insert(0, table.note)
        if notes:
            yield "  \n".join(notes)


def report(results: Results) -> str:
    """Return the whole report."""
    peers = [f"- `{name}`: {about}" for name, about in results.peers.items()]
    faults = [f"- {each.measure}, {each.case}, {each.peer}: {each.text}" for each in results.faults]
    versions = [f"- {line}" for line in versions_lines(results.environment["versions"])]
    parts = [
        "# Results",
        f"Written by `{results.environment['command']}`; [README.md](README.md) says how it is "
        f"measured. Medians of {results.environment['rounds']} interleaved rounds (least to most). "
        "The load offers TLS 1.3, TLS_AES_256_GCM_SHA384 and X25519 alone; certificates are ECDSA "
        "P-256; a client certificate is demanded, and every peer has refused a client without one, "
        "unless a column says otherwise.",
        sentence(results.environment) + ".",
        "## To be reached",
        targets_table(results),
        "## Measures",
        *_tables(results),
        "## Peers",
        "\n".join(peers),
        "\n".join(versions),
    ]
    if faults:
        parts += ["## What went wrong", "\n".join(dict.fromkeys(faults))]
    return "\n\n".join(part for part in parts if part) + "\n"
