"""Whether the load client's handshake times are those that tshark sees of the same connections.

``python -m bench.tshark_times [--rate N] [--seconds N]``: a load of handshakes on ``openssl
s_server``, captured on the loopback interface.  For tshark a handshake lasts from the ClientHello
to the client's Finished; the client begins before it computes its ClientHello, so its times are
longer by that.  The exit status is 1 if the difference at p99 is not that at p50 within 0.2 ms.
It needs tshark and the rights to capture.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.samples import percentile
from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.cli.options import fail
from tlsdemo.cli.standard_output import guarded
from tlsdemo.testing import temporary_certificates

COMMAND = "python -m bench.tshark_times"

NEAR = 0.2
"""Milliseconds that the two differences may differ."""

TIMEOUT = 60.0

_HANDSHAKE, _CHANGE_CIPHER_SPEC, _APPLICATION_DATA = "22", "20", "23"
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
        process.communicate()


def seen_by_tshark(capture: Path, port: int) -> list[float]:
    """Return the milliseconds of each handshake in a capture."""
    fields = ("tcp.stream", "frame.time_epoch", "tls.record.content_type", "tls.handshake.type")
    command = ["tshark", "-r", str(capture), "-Y", f"tls && tcp.dstport=={port}", "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    output = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT).stdout
    began: dict[str, float] = {}
    times: dict[str, float] = {}
    for line in output.splitlines():
        stream, at, records, messages = line.split("\t")
        types = records.split(",")
        if _CLIENT_HELLO in messages.split(","):
            began[stream] = float(at)
        elif stream in began and {_CHANGE_CIPHER_SPEC, _APPLICATION_DATA} & set(types):
            # The flight that ends with Finished.
            times.setdefault(stream, (float(at) - began[stream]) * 1e3)
    return list(times.values())


def load(port: int, rate: float, seconds: float, home: Path) -> dict[str, float]:
    """Put the load on, and return the percentiles of its handshakes in milliseconds."""
    result = home / "result.json"
    certificates: DemoCertificates = temporary_certificates()
    command = [
        *(sys.executable, "-c", "from twisted.scripts.twistd import run; run()"),
        *("-n", "--pidfile=", "tlsclient", f"--connect=tcp:127.0.0.1:{port}"),
        *("--server-name=localhost", "--status=none", "--workers=1", f"--json={result}"),
        f"--certs={certificates.authority.parent.parent}",
        *("--scenario=churn", "--conn=50", f"--rate={rate:g}", f"--duration={seconds:g}"),
    ]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT + seconds,
    )
    if not result.exists():
        fail(COMMAND, f"no result: {done.stdout[-500:]}", status=1)
    (run,) = json.loads(result.read_text())["runs"]
    (window,) = run["windows"]
    seconds_of: dict[str, float] = window["latencies"]["handshake"]
    return {name: value * 1e3 for name, value in seconds_of.items()}


def compare(ours: dict[str, float], theirs: Sequence[float]) -> bool:
    """Print both, and return whether they differ by the same."""
    differences = []
    print(f"{len(theirs):,} handshakes")
    for part in (50, 99):
        own, other = ours[f"p{part}"], percentile(theirs, part / 100)
        differences.append(own - other)
        print(f"p{part}: tlsclient {own:.3f} ms, tshark {other:.3f} ms, {own - other:+.3f} ms")
    return abs(differences[0] - differences[1]) <= NEAR


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
        sniffer = ("tshark", "-q", "-i", "lo", "-f", f"tcp port {port}", "-w", str(capture))
        with (
            running(*server, "-cert", str(own.certificate), "-key", str(own.key)),
            running(*sniffer),
        ):
            # The file is there when tshark captures.
            end = time.monotonic() + TIMEOUT
            while not capture.exists() and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(1.0)
            found = load(port, options.rate, options.seconds, home)
            time.sleep(2.0)
        theirs = seen_by_tshark(capture, port)
    if not theirs:
        fail(COMMAND, "tshark has captured no handshake; may it capture on lo?", status=1)
    return 0 if compare(found, theirs) else 1


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
