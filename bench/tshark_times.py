"""Whether the load client's handshake times are those that tshark sees of the same connections.

``python -m bench.tshark_times [--rate N] [--seconds N]``: a load of handshakes on ``openssl
s_server``, captured on the loopback interface.  A handshake lasts from the ClientHello to the
client's Finished, for tshark as for the client.  The exit status is 1 if the percentiles of the
load's report, p50 or p99, are more than 0.2 ms from tshark's.  The differences connection by
connection are shown as well.  It needs tshark and the rights to capture.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.child import Child
from bench.load_client import task
from bench.samples import percentile
from tlsdemo.cli.options import fail
from tlsdemo.cli.standard_output import guarded
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.reporting.latencies import HANDSHAKE, Latencies
from tlsdemo.testing import temporary_certificates

COMMAND = "python -m bench.tshark_times"

NEAR = 0.2
"""Milliseconds that the two may differ at a percentile."""

TIMEOUT = 60.0

Times = Mapping[tuple[int, int], float]
"""Milliseconds by the client's port, and by how manieth connection of that port it is."""

_CHANGE_CIPHER_SPEC, _APPLICATION_DATA = "20", "23"
_CLIENT_HELLO = "1"


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program, and end it."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        _, said = process.communicate()
        for line in said.splitlines():
            if "dropped" in line:
                print(line)


def by_connection(times: Iterable[tuple[int, float]]) -> Times:
    """Return the milliseconds of each handshake, from its port and them in order of time."""
    seen: Counter[int] = Counter()
    found = {}
    for port, milliseconds in times:
        seen[port] += 1
        found[port, seen[port]] = milliseconds
    return found


def seen_by_tshark(capture: Path, port: int) -> Times:
    """Return the milliseconds of each handshake in a capture."""
    fields = ("tcp.srcport", "frame.time_epoch", "tls.record.content_type", "tls.handshake.type")
    command = ["tshark", "-r", str(capture), "-Y", f"tls && tcp.dstport=={port}", "-T", "fields"]
    # Some clients' ports are those of protocols that tshark knows.
    command += ["-d", f"tcp.port=={port},tls"]
    for field in fields:
        command += ["-e", field]
    output = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT).stdout
    began: dict[int, float] = {}
    times = []
    for line in output.splitlines():
        source, at, records, messages = line.split("\t")
        client, types = int(source), records.split(",")
        if _CLIENT_HELLO in messages.split(","):
            began[client] = float(at)
        elif client in began and {_CHANGE_CIPHER_SPEC, _APPLICATION_DATA} & set(types):
            # The flight that ends with Finished.
            times.append((client, (float(at) - began.pop(client)) * 1e3))
    return by_connection(times)


def load(port: int, rate: float, seconds: float, times: Path) -> tuple[Latencies, Times]:
    """Put the load on; return its latencies, and the milliseconds of each handshake."""
    child = Child([sys.executable, "-m", "bench.timed_worker", str(times)])
    work = task(port, scenario="churn", connections=50, groups="")
    window = Window(number=1, rate=rate, seconds=seconds)
    latencies = Latencies()
    try:
        child.tell(json.dumps({"tasks": [work.as_json()]}))
        child.tell(json.dumps({"do": "open"}))
        child.tell(json.dumps({"do": "begin", "windows": [window.as_json()]}))
        end, state = time.monotonic() + seconds + 1.0, ""
        while state != "over":
            report = child.line()
            state = report["state"]
            for found in report["latencies"].values():
                latencies.add(Latencies.from_json(found))
            if time.monotonic() > end:
                end = math.inf
                child.tell(json.dumps({"do": "finish"}))
        child.close_input()
    finally:
        child.stop()
    lines = [line.split() for line in times.read_text().splitlines()]
    return latencies, by_connection((int(own), float(each)) for own, each in lines)


def compare(latencies: Latencies, ours: Times, theirs: Times) -> bool:
    """Print both, and return whether they agree."""
    both = ours.keys() & theirs.keys()
    print(f"{len(both):,} handshakes")
    agreed = len(both) == len(ours) == len(theirs) == latencies.count(HANDSHAKE)
    if not agreed:
        print(f"tlsclient has {latencies.count(HANDSHAKE):,}, tshark {len(theirs):,}")
    for part in (50, 99):
        own = (latencies.at(HANDSHAKE, part) or 0.0) * 1e3
        other = percentile([*theirs.values()], part / 100)
        agreed = agreed and abs(own - other) <= NEAR
        print(f"p{part}: tlsclient {own:.3f} ms, tshark {other:.3f} ms, {own - other:+.3f} ms")
    differences = [ours[each] - theirs[each] for each in both]
    parts = (percentile(differences, part / 100) for part in (1, 50, 99))
    print("of a connection: {:+.3f} ms at p1, {:+.3f} at p50, {:+.3f} at p99".format(*parts))
    return agreed


def main() -> int:
    """Capture, compare, and return the exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0, help="handshakes per second [50]")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long [20]")
    options = parser.parse_args()
    for program in ("tshark", "openssl"):
        if shutil.which(program) is None:
            fail(COMMAND, f"there is no {program}")
    own = temporary_certificates().server
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ("openssl", "s_server", "-accept", str(port), "-quiet", "-naccept", "1000000")
    with tempfile.TemporaryDirectory() as directory:
        home, capture = Path(directory), Path(directory, "capture.pcap")
        sniffer = ["tshark", "-q", "-B", "64", "-i", "lo", "-w", str(capture)]
        sniffer += ["-f", f"tcp port {port}"]
        with (
            running(*server, "-cert", str(own.certificate), "-key", str(own.key)),
            running(*sniffer),
        ):
            # The file is there when tshark captures.
            end = time.monotonic() + TIMEOUT
            while not capture.exists() and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(1.0)
            latencies, ours = load(port, options.rate, options.seconds, home / "times")
            time.sleep(2.0)
        theirs = seen_by_tshark(capture, port)
    if not theirs:
        fail(COMMAND, "tshark has captured no handshake; may it capture on lo?", status=1)
    return 0 if compare(latencies, ours, theirs) else 1


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
