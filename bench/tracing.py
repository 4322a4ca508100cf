"""``python -m bench.tracing``: the CPU cost of tracing, switched on and off.

One process for each variant serves the same connections in memory, and reports the CPU time of the
calls to its server, without the clients'.  The variants alternate every fraction of a second, so
that a machine that slows down slows all of them, and the ratios are taken within a turn.  The
processes are restarted several times, because two processes of the same code can differ by one
per cent.  ``--against=DIR`` adds another checkout, and compares with that.
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
from tlsdemo.cli.standard_output import guarded
from tlsdemo.tls import ModeName

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "bench" / "peers" / "traced.py"
PARTS = ("handshakes", "records")


class TracingOptions(Options):
    """The options of the measurement."""

    command = "python -m bench.tracing"

    optParameters: ClassVar[list[list[Any]]] = named([
        ["against", None, None, "Another checkout of tlsdemo, to compare with."],
        ["mode", None, ModeName.PAIR, "The mode: pair (an event for each read) or wrapped (an "
         "event for each record).", choice(ModeName)],
        ["conn", "c", 100, "Connections in a turn.", whole(1)],
        ["packets", None, 2000, "Records of 32 bytes that each connection sends.", whole(1)],
        ["turns", None, 6, "Turns of each process.", whole(1)],
        ["starts", None, 5, "Number of times that the processes are restarted.", whole(1)],
    ])  # fmt: skip


class Server:
    """A process that serves in memory, once for each line that is written to it."""

    def __init__(self, tree: Path, every: str, options: TracingOptions) -> None:
        numbers = [str(options["conn"]), str(options["packets"])]
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), options["mode"].value, every, *numbers],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"},
        )  # fmt: skip

    def turn(self) -> dict[str, float]:
        """Serve once more, and return the CPU seconds of each part."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        cpu: dict[str, float] = json.loads(self._process.stdout.readline())
        return cpu

    def stop(self) -> None:
        """Close its input, and wait for its end."""
        self._process.communicate()


def variants(options: TracingOptions) -> dict[str, tuple[Path, str]]:
    """Return the checkout and the tracing of each variant; the first is the baseline."""
    ours = {"tracing off": "none", "every 100th traced": "100", "all traced": "1"}
    found = {name: (ROOT, every) for name, every in ours.items()}
    if options["against"] is None:
        return found
    return {"the other checkout": (Path(options["against"]).absolute(), "none"), **found}


def measure(options: TracingOptions) -> dict[str, list[dict[str, float]]]:
    """Return for each variant the CPU seconds of each turn."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in variants(options)}
    for _ in range(options["starts"]):
        servers = {
            name: Server(tree, every, options) for name, (tree, every) in variants(options).items()
        }
        for turn in range(options["turns"] + 1):
            for name, server in servers.items():
                cpu = server.turn()
                # The first turn warms up.
                if turn:
                    measured[name].append(cpu)
        for server in servers.values():
            server.stop()
    return measured


def report(options: TracingOptions, measured: dict[str, list[dict[str, float]]]) -> str:
    """Return the table: CPU time of the server, and the ratios to the first variant."""
    baseline = next(iter(measured.values()))
    counts = {"handshakes": options["conn"], "records": options["conn"] * options["packets"]}
    lines = [
        f"{'mode ' + options['mode'].value:20} {'µs a handshake':>15} {'ratio':>23} "
        f"{'µs a record':>12} {'ratio':>23}"
    ]
    for name, turns in measured.items():
        cells = []
        for part, width in zip(PARTS, (15, 12), strict=True):
            each = median(cpu[part] for cpu in turns) / counts[part] * 1e6
            ratios = [one[part] / other[part] for one, other in zip(turns, baseline, strict=True)]
            # A single turn has no quartiles.
            low, _, high = quantiles(ratios * 2 if len(ratios) == 1 else ratios, n=4)
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
    raise SystemExit(guarded(TracingOptions.command, main))
