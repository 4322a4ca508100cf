"""How many connections one machine reaches: 2,000 that work, and 20,000 idle ones.

``python -m bench.reach [--active 2000] [--idle 20000]`` puts the load client on our own server.
First one worker of the client has 2,000 connections, which exchange messages, then send packets.
Its share of a CPU, and how late its reactor was for 1 % of the time, are its margin.  Then four
workers have 20,000 idle connections from eight addresses of the loopback interface to a server of
four processes.  A load of one idle connection for each worker before that says how much memory the
processes have without.  The exit status is 1 if a connection was not secured or not held, or if the
worker was the bottleneck.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.child import CannotMeasure
from bench.memory import anonymous
from tlsdemo.cli.standard_output import guarded
from tlsdemo.reporting.window_result import BUSY, LATE
from tlsdemo.testing import temporary_certificates

COMMAND = "python -m bench.reach"

LIMIT = 900.0
"""Seconds that one load may take."""

SECONDS = 10
"""Seconds that the connections are in use, or are held."""

ACTIVE = {
    "pingpong": ("echo", 1000.0, "messages"),
    "stream": ("sink", 10_000.0, "packets"),
}
"""What connections do: the server's role, how often a second in all, and what that is."""

WORKERS = 4
"""Processes at each end of the idle connections."""

SOURCES = "127.0.0.2-127.0.0.9"

EVERY = 0.5
"""Seconds between two looks at the memory."""


def twistd(*arguments: str, output: Any) -> subprocess.Popen[str]:
    """Start a service of ours."""
    certs = f"--certs={temporary_certificates().authority.parent.parent}"
    start = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
    command = (*start, "-n", "--pidfile=", *arguments, "--status=none", certs)
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True)


@contextmanager
def server(role: str, workers: int) -> Iterator[tuple[int, int]]:
    """Run a server; provide its process ID and its port."""
    with tempfile.TemporaryFile("w+") as log:
        process = twistd(
            *("tlsdemo", "--listen=tcp:0:interface=127.0.0.1", f"--role={role}"),
            *(f"--workers={workers}", "--max-connections=0", "--idle-timeout=0", "--log-first=0"),
            output=log,
        )
        try:
            end = time.monotonic() + 60
            found = None
            while found is None:
                if time.monotonic() > end or process.poll() is not None:
                    raise CannotMeasure("the server does not listen")
                time.sleep(0.1)
                log.seek(0)
                found = re.search(r"listening on tcp:127\.0\.0\.1:(\d+)", log.read())
            yield process.pid, int(found[1])
        finally:
            process.terminate()
            process.wait()


def load(serving: int, port: int, *options: str) -> tuple[Mapping[str, Any], int, int]:
    """Put a load on; return its result, and the most memory of the server and of the client."""
    with tempfile.TemporaryDirectory() as home:
        result, said = Path(home, "result.json"), Path(home, "said")
        with said.open("w") as output:
            client = twistd(
                *("tlsclient", f"--connect=tcp:127.0.0.1:{port}", "--server-name=localhost"),
                *("--timeout=300", f"--duration={SECONDS}", f"--json={result}", *options),
                output=output,
            )
        most_server = most_client = 0
        try:
            end = time.monotonic() + LIMIT
            while client.poll() is None and time.monotonic() < end:
                most_server = max(most_server, anonymous(serving))
                most_client = max(most_client, anonymous(client.pid))
                time.sleep(EVERY)
        finally:
            client.terminate()
            client.wait()
        if not result.exists():
            raise CannotMeasure(f"no result: {said.read_text()[-500:].strip()}")
        (run,) = json.loads(result.read_text())["runs"]
        return run, most_server, most_client


def established(run: Mapping[str, Any]) -> str:
    """Return how many connections were secured, how fast, and what failed."""
    failed = ", ".join(f"{count} {cause}" for cause, count in run["failed"].items()) or "none"
    seconds = run["seconds_until_secured"]
    return f"{run['secured']:,} connections in {seconds:.1f} s, failed: {failed}"


def active(name: str, connections: int) -> bool:
    """Have one worker use so many connections; return whether it had a margin."""
    role, rate, unit = ACTIVE[name]
    with server(role, workers=1) as (pid, port):
        run, _, _ = load(
            *(pid, port, f"--scenario={name}", f"--conn={connections}", f"--rate={rate:g}"),
            *("--workers=1", "--packets=0"),
        )
    (window,) = run["windows"]
    ((cpu, lag),) = ((each["cpu"], each["lag"] or 0.0) for each in window["workers"])
    print(f"{name}: {established(run)}")
    print(
        f"  {window['done_per_second']:,.0f} {unit} a second: the worker used {cpu:.0%} of a CPU, "
        f"and was {lag * 1e3:.1f} ms late for 1 % of the time",
        flush=True,
    )
    return run["counters"]["clean"] == connections and cpu < BUSY and lag < LATE


def idle(connections: int) -> bool:
    """Hold so many idle connections; return whether all were held."""
    options = ("--scenario=idle", f"--workers={WORKERS}", f"--source={SOURCES}", "--in-flight=50")
    with server("sink", WORKERS) as (pid, port):
        few, *before = load(pid, port, *options, f"--conn={WORKERS}")
        run, *after = load(pid, port, *options, f"--conn={connections}")
    ends = [
        f"{(most - least) / (connections - WORKERS) / 1024:.1f}"
        for least, most in zip(before, after, strict=True)
    ]
    print(f"idle: {established(run)}, held: {run['counters']['clean']:,}")
    print(f"  KiB a connection: the server {ends[0]}, the client {ends[1]}", flush=True)
    return few["counters"]["clean"] == WORKERS and bool(run["counters"]["clean"] == connections)


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--active", type=int, default=2000, help="connections in use [2000]")
    parser.add_argument("--idle", type=int, default=20_000, help="connections held [20000]")
    options = parser.parse_args()
    try:
        reached = [active(name, options.active) for name in ACTIVE if options.active]
        reached += [idle(options.idle)] if options.idle else []
    except CannotMeasure as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 2
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
