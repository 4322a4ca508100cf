"""``python -m bench.tracing``: what tracing costs, asked for and not asked for.

One process for each variant serves the same connections in memory, and tells the CPU that its own
calls took, the clients' left out.  The variants take turns of a fraction of a second, so that a
machine that slows down slows all of them; the ratios are of one turn.  Processes are started anew
several times, because two processes of the same code can differ by a per cent.  ``--against=DIR``
adds another checkout, such as one of before there was any tracing, and compares with that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles
from typing import Any, ClassVar

from tlsdemo.cli.options import Options, choice, named, whole
from tlsdemo.tls import ModeName

ROOT = Path(__file__).resolve().parent.parent
WORKER = ROOT / "bench" / "peers" / "traced.py"
PARTS = ("handshakes", "records")


class TracingOptions(Options):
    """The options of the measurement."""

    command = "python -m bench.tracing"

    optParameters: ClassVar[list[list[Any]]] = named([
        ["against", None, None, "Another checkout of tlsdemo, to compare with."],
        ["mode", None, ModeName.PAIR, "The mode: pair (an event a read) or wrapped (an event a "
         "record).", choice(ModeName)],
        ["conn", "c", 100, "Connections in a turn.", whole(1)],
        ["packets", None, 2000, "Records of 32 bytes from each.", whole(1)],
        ["turns", None, 6, "Turns of each process.", whole(1)],
        ["starts", None, 5, "How often the processes are started anew.", whole(1)],
    ])  # fmt: skip


class Worker:
    """A process that serves in memory when it is told to."""

    def __init__(self, tree: Path, every: str, options: TracingOptions) -> None:
        numbers = [str(options["conn"]), str(options["packets"])]
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), options["mode"].value, every, *numbers],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"},
        )  # fmt: skip

    def turn(self) -> dict[str, float]:
        """Serve once more, and return the CPU seconds of each part."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        spent: dict[str, float] = json.loads(self._process.stdout.readline())
        return spent

    def end(self) -> None:
        """Have it end by itself."""
        self._process.communicate()


def variants(options: TracingOptions) -> dict[str, tuple[Path, str]]:
    """Return what is measured, by name: which checkout, and what it traces; the first is 1.0."""
    ours = {"tracing off": "none", "every 100th traced": "100", "all traced": "1"}
    found = {name: (ROOT, every) for name, every in ours.items()}
    if options["against"] is None:
        return found
    return {"the other checkout": (Path(options["against"]).absolute(), "none"), **found}


def measure(options: TracingOptions) -> dict[str, list[dict[str, float]]]:
    """Return for each variant the CPU seconds of each turn."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in variants(options)}
    for _ in range(options["starts"]):
        workers = {
            name: Worker(tree, every, options) for name, (tree, every) in variants(options).items()
        }
        for turn in range(options["turns"] + 1):
            for name, worker in workers.items():
                spent = worker.turn()
                # The first turn warms up.
                if turn:
                    measured[name].append(spent)
        for worker in workers.values():
            worker.end()
    return measured


def report(options: TracingOptions, measured: dict[str, list[dict[str, float]]]) -> str:
    """Return the table: CPU of the server's calls, and the ratios to the first variant."""
    first = next(iter(measured.values()))
    of_each = {"handshakes": options["conn"], "records": options["conn"] * options["packets"]}
    lines = [
        f"{'mode ' + options['mode'].value:20} {'µs a handshake':>15} {'ratio':>23} "
        f"{'µs a record':>12} {'ratio':>23}"
    ]
    for name, turns in measured.items():
        cells = []
        for part, width in zip(PARTS, (15, 12), strict=True):
            each = median(spent[part] for spent in turns) / of_each[part] * 1e6
            ratios = [one[part] / other[part] for one, other in zip(turns, first, strict=True)]
            low, _, high = quantiles(ratios, n=4)
            ratio = f"{median(ratios):.3f} ({low:.3f} to {high:.3f})"
            cells.append(f"{each:{width}.2f} {ratio:>23}")
        lines.append(f"{name:20} {' '.join(cells)}")
    return "\n".join(lines)


def main() -> int:
    """Measure, and print the table."""
    options = TracingOptions()
    options.parseOptions()
    print(report(options, measure(options)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
