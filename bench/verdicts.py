"""Whether findings and event sequences say the same when the machine is busy.

``python -m bench.verdicts [--runs 50] [--busy 2] [--only findings|events]``: beside that many
processes that do nothing but compute, every finding is reproduced ``runs`` times, and every
connection of ``tlsdemo events`` is made ``runs`` times.  A finding must have the verdict that it
has on a quiet machine, or none ("cannot tell"); an event sequence must be one that a quiet machine
shows.  The exit status is 1 if one is not.  All of it takes some 30 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from typing import Any

from tlsdemo.cli.standard_output import guarded
from tlsdemo.reporting.progress import Progress, standard_error

BURN = "while True: pass"

QUIET_RUNS = 5
"""How often each connection is made on the quiet machine, to learn its event sequences."""


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep ``count`` processors busy."""
    processes = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def tlsdemo(*arguments: str, silent: bool = False) -> Any:
    """Return the JSON that a command prints; its progress is shown unless it is ``silent``."""
    command = [sys.executable, "-m", "tlsdemo", *arguments, "--format=json"]
    errors = subprocess.DEVNULL if silent else None
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, check=True)
    return json.loads(done.stdout)


def verdicts() -> dict[str, str]:
    """Return the verdict of each finding."""
    found = tlsdemo("findings", "--all", silent=True)["findings"]
    return {each["name"]: each["verdict"] for each in found}


def check_findings(runs: int, processes: int) -> int:
    """Print the findings whose verdict was another one; return how many."""
    quiet = verdicts()
    false: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    progress = Progress(standard_error(), "findings")
    with busy(processes):
        progress.begin("reproducing", runs, "times")
        for number in range(1, runs + 1):
            for name, verdict in verdicts().items():
                if verdict == "cannot tell":
                    unknown[name] += 1
                elif verdict != quiet[name]:
                    false[name] += 1
            progress.update(number, f"{sum(false.values())} false")
    progress.clear()
    for name, count in false.items():
        print(f"{name}: a false verdict in {count} of {runs} runs")
    for name, count in unknown.items():
        print(f"{name}: no verdict in {count} of {runs} runs")
    print(f"{len(quiet)} findings, {runs} runs each: {sum(false.values())} false verdicts")
    return len(false)


def sequences(times: int) -> dict[tuple[str, ...], list[dict[str, list[str]]]]:
    """Return the different event sequences of each connection."""
    lifelines = ("server", "client", "wire")
    return {
        tuple(cell[name] for name in ("mode", "tls", "way", "peer")): [
            {name: each[name] for name in lifelines} for each in (cell, *cell["also"])
        ]
        for cell in tlsdemo("events", f"--times={times}", "--stack=none")["cells"]
    }


def check_events(runs: int, processes: int) -> int:
    """Print the connections whose events had another order; return how many."""
    quiet = sequences(QUIET_RUNS)
    with busy(processes):
        found = sequences(runs)
    false = 0
    for cell, seen in found.items():
        others = [each for each in seen if each not in quiet[cell]]
        false += bool(others)
        for other in others:
            print(f"{' '.join(cell)}: another sequence than on a quiet machine")
            print("\n".join(difference(quiet[cell][0], other)))
    print(f"{len(found)} connections, {runs} times each: {false} with another sequence")
    return false


def difference(usual: dict[str, list[str]], other: dict[str, list[str]]) -> Iterator[str]:
    """Return the lines that tell how two sequences of one connection differ."""
    for lifeline, events in usual.items():
        names = lifeline, f"{lifeline}, busy"
        lines = unified_diff(events, other[lifeline], *names, lineterm="", n=1)
        yield from (f"    {line}" for line in lines)


CHECKS = {"findings": check_findings, "events": check_events}


def main() -> int:
    """Check both, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how often [50]")
    parser.add_argument("--busy", type=int, default=2, help="processes that compute [2]")
    parser.add_argument("--only", choices=CHECKS, help="check only these [both]")
    options = parser.parse_args()
    wrong = sum(
        check(options.runs, options.busy)
        for name, check in CHECKS.items()
        if options.only in (None, name)
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(guarded("python -m bench.verdicts", main))
