"""``python -m bench.instructions``: count instructions, and hold them against a baseline.

CPU time differs from run to run by more than a change does; the number of instructions, counted by
callgrind on a fixed workload in memory, differs by a few hundredths of a per cent.  So this finds a
slowdown of one per cent, on a busy machine as well.  It depends on the versions of everything, and
a baseline holds only for those that it names.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import ssl
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.instruction_workload import PARTS
from bench.peers.tlsdemo_server import ROOT
from tlsdemo.cli.standard_output import guarded
from tlsdemo.net.command import CommandFailed, run_command
from tlsdemo.tls import versions

BASELINE = Path(__file__).resolve().parent / "instructions.json"

TOLERANCE = 0.5
"""Per cent that a part may be above its baseline; the same commit differs by less than 0.2."""

COUNTS = 3
"""How often is counted; the least counts.  One count in ten has half a per cent too much."""

TIMEOUT = 300.0
"""Seconds for one count, which takes about 10 of CPU."""

MOVE = "python -m bench.instructions --move"
"""The command that moves the baseline."""

Counts = Mapping[str, int]


class CannotCount(Exception):
    """The instructions cannot be counted; the text is one line that says why."""


@dataclass(frozen=True)
class Verdict:
    """The counts of a run beside its baseline: ``lines`` tell of each part, ``passed`` of all."""

    lines: Sequence[str]
    passed: bool


def key(valgrind: str) -> dict[str, str]:
    """Return everything that a count depends on, besides our own code."""
    processor = Path("/proc/cpuinfo").read_text(errors="replace")
    model = re.findall(r"^(?:cpu family|model|model name|stepping)\s*: (.+)$", processor, re.M)[:4]
    return {
        **versions(),
        "build of Python": f"{platform.python_compiler()}, {ssl.OPENSSL_VERSION}",
        "valgrind": valgrind,
        # The C library and OpenSSL choose their code by what the processor can do.
        "machine": " ".join([platform.machine(), *model]),
    }


def baseline_for(known: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> Counts | None:
    """Return the counts whose versions are the wanted ones; None if there are none."""
    for each in known:
        if each["versions"] == wanted:
            counts: Counts = each["instructions"]
            return counts
    return None


def differences(known: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> list[str]:
    """Return what differs from the baseline that is nearest to the wanted versions."""
    candidates = [
        [
            f"{name}: {each['versions'].get(name)} there, {wanted.get(name)} here"
            for name in dict.fromkeys([*each["versions"], *wanted])
            if each["versions"].get(name) != wanted.get(name)
        ]
        for each in known
    ]
    return min(candidates, key=len, default=[])


def compare(baseline: Counts, counted: Counts, tolerance: float = TOLERANCE) -> Verdict:
    """Hold the counts against the baseline."""
    lines, passed = [], True
    for part, before in baseline.items():
        change = (counted[part] / before - 1) * 100
        line = f"{part}: {counted[part]:,} instructions, {change:+.2f} % of {before:,}"
        if change > tolerance:
            passed = False
            line += f": FAILED, more than {tolerance:g} % above the baseline"
        elif change < -tolerance:
            line += f": faster; move the baseline, or a later slowdown is not seen: {MOVE}"
        lines.append(line)
    return Verdict(lines, passed)


def counts_in(files: Mapping[str, str]) -> dict[str, int]:
    """Return the count of each part, by the texts of callgrind's files."""
    found = {}
    for text in files.values():
        trigger = re.search(r"^desc: Trigger: dump (\S+)", text, re.M)
        totals = re.search(r"^totals: (\d+)", text, re.M)
        if trigger and totals:
            found[trigger[1]] = int(totals[1])
    missing = [part for part in PARTS if part not in found]
    if missing:
        raise CannotCount(f"callgrind has written no count of {', '.join(missing)}")
    return found


def valgrind_version() -> str:
    """Return valgrind's version; raises CannotCount if it is not installed."""
    if shutil.which("valgrind") is None:
        raise CannotCount("there is no valgrind (Debian, Ubuntu: apt-get install valgrind)")
    return run_command(["valgrind", "--version"], timeout=30).output.strip()


def _fixed_addresses() -> list[str]:
    # Addresses decide the order in sets of objects; where they cannot be fixed, the count varies
    # a little more.
    command = ["setarch", "-R", "true"]
    try:
        allowed = run_command(command, timeout=10).status == 0
    except CommandFailed:
        allowed = False
    return command[:2] if allowed else []


def count(slower: float = 0.0, *server: str) -> dict[str, int]:
    """Count the workload once; ``slower``: per cent of needless work to add.

    ``server``: which one, if not the usual.  Raises CannotCount.
    """
    valgrind_version()
    with tempfile.TemporaryDirectory() as home:
        command = [
            *(*_fixed_addresses(), "valgrind", "--tool=callgrind", "--instr-atstart=no"),
            f"--callgrind-out-file={home}/out",
            *(sys.executable, "-m", "bench.instruction_workload", str(slower), *server),
        ]
        env = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
        try:
            done = run_command(command, TIMEOUT, env=env, cwd=ROOT)
        except CommandFailed as problem:
            raise CannotCount(str(problem)) from None
        if done.status:
            raise CannotCount(f"valgrind ended with {done.status}: {done.output.strip()[-500:]}")
        return counts_in({each.name: each.read_text() for each in Path(home).iterdir()})


def least(counts: Sequence[Counts]) -> dict[str, int]:
    """Return the least count of each part: an unlucky layout of the heap only adds to it."""
    return {part: min(each[part] for each in counts) for part in counts[0]}


def load(path: Path) -> list[dict[str, Any]]:
    """Return the baselines of a file, none if there is no file."""
    if not path.exists():
        return []
    known: list[dict[str, Any]] = json.loads(path.read_text())["baselines"]
    return known


def moved(
    known: Sequence[Mapping[str, Any]], wanted: Mapping[str, str], counted: Counts
) -> list[Mapping[str, Any]]:
    """Return the baselines with that of the wanted versions replaced or added."""
    others = [each for each in known if each["versions"] != wanted]
    return [*others, {"versions": dict(wanted), "instructions": dict(counted)}]


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, compare, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.instructions",
        description="Counts the instructions of handshakes and records with callgrind, and fails "
        f"if there are more than {TOLERANCE:g} % above the baseline in "
        f"{BASELINE.relative_to(ROOT)}. With other versions than the baseline's it says so, and "
        "does not fail.",
        epilog=f"A slowdown that is worth it moves the baseline: run `{MOVE}` and commit the "
        "file, with the reason in the commit's message. So does an upgrade of anything that the "
        "file names, and a change that makes it faster.",
    )
    parser.add_argument("--move", action="store_true", help="write these counts as the baseline")
    parser.add_argument(
        "--slower", type=float, default=0.0, metavar="PERCENT",
        help="add needless work, to see the gate fail (try 1)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if not 0.0 <= options.slower <= 100.0:
        parser.error(f"--slower is {options.slower:g}, not between 0 and 100 per cent")
    try:
        wanted = key(valgrind_version())
        counted = least([count(options.slower) for _ in range(COUNTS)])
    except CannotCount as problem:
        print(f"python -m bench.instructions: {problem}", file=sys.stderr)
        return 1
    known = load(BASELINE)
    if options.move:
        text = json.dumps({"baselines": moved(known, wanted, counted)}, indent=2)
        BASELINE.write_text(text + "\n")
        print(f"moved the baseline in {BASELINE.relative_to(ROOT)}: {dict(counted)}; commit it")
        return 0
    baseline = baseline_for(known, wanted)
    if baseline is None:
        print("no baseline for these versions, so nothing is compared:")
        for line in [*differences(known, wanted), *(f"{a}: {b:,}" for a, b in counted.items())]:
            print(f"  {line}")
        print(f"to have one: {MOVE}, and commit {BASELINE.relative_to(ROOT)}")
        return 0
    verdict = compare(baseline, counted)
    print("\n".join(verdict.lines))
    if not verdict.passed:
        print(
            "Find what has become slower, by comparing callgrind_annotate of both commits. If it "
            f"is worth it, move the baseline: {MOVE}, and say in the commit why."
        )
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    raise SystemExit(guarded("python -m bench.instructions", main))
