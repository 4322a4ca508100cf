"""Whether `tlsdemo gate` is silent about what is installed: ``python -m bench.gate_silence``.

Each run is a whole one, as a user starts it, one after the other.  A run that speaks shows a race
in the gate: nothing differs.  It is shown, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata

from tlsdemo.net.command import CommandFailed, run_command

LONGEST_RUN = 1800.0
"""Seconds that a run may take; on two idle cores it takes about a minute."""


def main(arguments: Sequence[str], run: Callable[[str], tuple[int, str]] | None = None) -> int:
    """Run the gate as often as ``arguments`` say, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.gate_silence", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="how many runs (default: 20)")
    parser.add_argument(
        "--against", default=f"twisted=={metadata.version('twisted')}",
        help="what to compare with; it has to be what is installed (default: Twisted's version)",
    )  # fmt: skip
    wanted = parser.parse_args(arguments)
    silent = 0
    for number in range(1, wanted.runs + 1):
        began = time.monotonic()
        status, text = (run or _gate)(wanted.against)
        is_silent = status == 0 and not text
        silent += is_silent
        verdict = "silent" if is_silent else f"exit status {status}"
        print(f"run {number}: {verdict}, {time.monotonic() - began:.0f} s", flush=True)
        if not is_silent:
            print(text, flush=True)
    print(f"{silent} of {wanted.runs} runs were silent, with {wanted.against}")
    return 0 if silent == wanted.runs else 1


def _gate(against: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tlsdemo", "gate", f"--against={against}"]
    try:
        done = run_command(command, LONGEST_RUN, separate_errors=True)
    except CommandFailed as problem:
        return 2, str(problem)
    return done.status, done.output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
