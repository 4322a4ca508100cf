"""Whether ``twistd tlsclient --find-max`` finds the rate that a server is known to have.

``python -m bench.find_max [--runs 5] [--rate 40]``: a server that does so many handshakes a second
is measured so often.  The exit status is 1 if a result is more than 5 % off.  A run takes up to two
minutes, and wants a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.end_to_end.known_server import KnownServer
from tests.support import certificates

LIMIT = 300.0
"""Seconds that one run may take."""

NEAR = 0.05
"""How far off a result may be, as a part of the rate."""


def measure(rate: float) -> float:
    """Return the greatest rate that is found of a server with this one."""
    server = KnownServer(most=rate)
    try:
        with tempfile.TemporaryDirectory() as home:
            result = Path(home, "result.json")
            command = [
                *(sys.executable, "-c", "from twisted.scripts.twistd import run; run()"),
                *("-n", "--pidfile=", "tlsclient", server.connect, "--server-name=localhost"),
                *("--status=none", "--workers=1", f"--json={result}"),
                f"--certs={certificates().authority.parent.parent}",
                *("--scenario=churn", "--conn=100", f"--rate={rate * 0.75:g}", "--duration=2"),
                *("--find-max", "--slo=p99(confirmed)<120ms,failed<0.1%"),
            ]
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT
            )
            if not result.exists():
                raise SystemExit(f"no result: {done.stdout[-500:]}")
            (run,) = json.loads(result.read_text())["runs"]
            return float(run["greatest_rate"])
    finally:
        server.stop()


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.find_max", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="how often [5]")
    parser.add_argument("--rate", type=float, default=40.0, help="handshakes per second [40]")
    options = parser.parse_args()
    near = 0
    for number in range(1, options.runs + 1):
        found = measure(options.rate)
        near += abs(found / options.rate - 1) <= NEAR
        print(f"run {number}: {found:g} of {options.rate:g} handshakes per second", flush=True)
    print(f"{near} of {options.runs} runs within {NEAR:.0%}")
    return 0 if near == options.runs else 1


if __name__ == "__main__":
    sys.exit(main())
