"""``python -m bench.reads``: where the CPU time of one read of a client's socket goes.

A saturated proxy (mode pair, delivery coalesced) carries the same load three times: as it is, which
says what a read costs; under ``strace -c``, which counts its system calls; and under cProfile,
which says what is called, and how the time is divided.  Both make it slower, cProfile what is
written in Python more than the rest, so its times are only shown as proportions.  Prints a line for
each system call and each function.  It needs strace.
"""

from __future__ import annotations

import marshal
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from bench.child import CannotMeasure
from bench.load.pins import Pins
from bench.load.stream import blast
from bench.peers.tlsdemo_server import ROOT, tlsdemo_peer
from bench.server import Server
from bench.workbench import Workbench, workbench
from tlsdemo.cli.options import Options, named, whole
from tlsdemo.cli.standard_output import guarded

WITHIN = 120.0
"""Seconds that each of the three may take."""

_COUNTED = re.compile(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", re.MULTILINE)


class ReadsOptions(Options):
    """The options of the measurement."""

    command = "python -m bench.reads"

    optParameters: ClassVar[list[list[Any]]] = named([
        ["size", None, 16384, "Bytes of cleartext in a record.", whole(1)],
        ["conn", "c", 50, "Connections.", whole(1)],
        ["megabytes", None, 256, "Megabytes of cleartext in all.", whole(1)],
        ["functions", None, 25, "How many functions are shown.", whole(0)],
        ["checkout", None, str(ROOT), "The checkout of tlsdemo that is measured."],
    ])  # fmt: skip


def carry(
    bench: Workbench,
    options: ReadsOptions,
    profile: str = "",
    around: Callable[[int], Callable[[], object]] = lambda _: lambda: None,
) -> tuple[int, float]:
    """Return how many reads there were, and the CPU seconds.

    ``around`` is called with the process before the load, and what it returns behind it.
    """
    checkout = Path(options["checkout"]).absolute()
    peer = tlsdemo_peer("pair", "", "pair", "coalesced", checkout=checkout, profile=profile)
    with bench.running(peer, options["conn"], Pins()) as server:
        opened = server.open(options["conn"])
        server.prove(opened)
        each = max(1, options["megabytes"] * 1_000_000 // options["size"] // options["conn"])
        prepared = [(one, one.encrypt(options["size"], each)) for one in opened.connections]
        done = around(server.pid)
        before, received, cpu = events(server), server.sink.received, server.cpu_when_idle()
        blast(prepared, server.deadline)
        server.wait_for(received + each * options["conn"] * options["size"])
        cpu = server.cpu_when_idle() - cpu
        done()
        found = events(server) - before
        opened.close()
        return found, cpu


def events(server: Server) -> int:
    """Return how often the handlers have been called: with this delivery, once for a read."""
    found = server.events()
    assert found is not None
    return found


def strace(output: Path) -> Callable[[int], Callable[[], object]]:
    """Return what counts the system calls of a process, and writes them to a file."""

    def around(pid: int) -> Callable[[], object]:
        command = ["strace", "-c", "-f", "-o", str(output), "-p", str(pid)]
        try:
            tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
        except FileNotFoundError:
            raise CannotMeasure("strace is not installed: apt-get install strace") from None
        assert tracer.stderr is not None
        # It says that it is attached, or why it cannot be.
        said = tracer.stderr.readline().decode(errors="replace").strip()
        if "attached" not in said:
            tracer.wait(WITHIN)
            raise CannotMeasure(said)

        def done() -> None:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=WITHIN)

        return done

    return around


def system_calls(counted: str) -> Iterator[tuple[str, int]]:
    """Return the calls of a table of strace, but for the total."""
    for calls, name in _COUNTED.findall(counted):
        if name != "total":
            yield name, int(calls)


def functions(profile: Path) -> list[tuple[float, int, str]]:
    """Return the seconds in each function itself, its calls and its name; the longest first."""
    found = marshal.loads(profile.read_bytes())
    rows = [
        (times[2], times[1], f"{Path(file).name}: {name}" if line else name)
        for (file, line, name), times in found.items()
    ]
    return sorted(rows, reverse=True)


def main() -> int:
    """Measure, and print; return the exit status."""
    options = ReadsOptions()
    options.parseOptions(sys.argv[1:])
    try:
        report(options)
    except CannotMeasure as problem:
        sys.stderr.write(f"{options.command}: {problem}\n")
        return 1
    return 0


def report(options: ReadsOptions) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as home, workbench(WITHIN) as bench:
        counted, profile = Path(home) / "strace", Path(home) / "profile"
        reads, cpu = carry(bench, options)
        read = options["megabytes"] * 1e6 / reads
        print(f"{reads:,} reads of {read:,.0f} B: {cpu / reads * 1e6:.1f} µs of CPU each")
        reads, _ = carry(bench, options, around=strace(counted))
        print(f"\n{'a read':>8}  system call")
        for name, calls in system_calls(counted.read_text()):
            if calls >= reads / 100:
                print(f"{calls / reads:8.2f}  {name}")
        reads, _ = carry(bench, options, profile=str(profile))
        # Not those of starting and of handshakes, which are far fewer.
        often = [row for row in functions(profile) if row[1] > reads / 2]
        whole_time = sum(seconds for seconds, _, _ in often)
        print(f"\n{'a read':>8} {'time':>6}  function, under cProfile")
        for seconds, calls, name in often[: options["functions"]]:
            print(f"{calls / reads:8.2f} {seconds / whole_time:6.1%}  {name}")
        rest = often[options["functions"] :]
        calls, seconds = sum(row[1] for row in rest), sum(row[0] for row in rest)
        print(f"{calls / reads:8.2f} {seconds / whole_time:6.1%}  {len(rest)} others")


if __name__ == "__main__":
    sys.exit(guarded(ReadsOptions.command, main))
