"""What the load client costs, beside ``openssl s_time`` and a sender of Node.

``python -m bench.load_client [--rounds 5]``: CPU time of the client's process, the programs in
turn, against the same server.  A handshake of ``--scenario=churn`` may cost 1.5 times one of
``openssl s_time -new``, and a packet of 32 bytes half of one of Node's.  Node joins packets into
records of up to 16 KiB, unless its program waits for each; so both ways have a row.  The exit
status is 1 if something costs more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.child import CannotMeasure, Child
from tlsdemo.cli.standard_output import guarded
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.schedule import Task
from tlsdemo.testing import temporary_certificates
from tlsdemo.tls import ModeName

COMMAND = "python -m bench.load_client"

LIMIT = 120.0
"""Seconds that one measurement may take."""

SECONDS = 3
"""Seconds of handshakes in one measurement."""

CONNECTIONS = 10
"""Connections at a time."""

PACKETS = 50_000
"""Packets of each connection."""

SIZE = 32

MOST_HANDSHAKE = 1.5
MOST_PACKET = 0.5

_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
_NODE_SENDER = Path(__file__).parent / "peers" / "node_sender.js"


@contextmanager
def server() -> Iterator[int]:
    """Run a server that drops what it receives; provide its port."""
    certs = f"--certs={temporary_certificates().authority.parent.parent}"
    process = subprocess.Popen(
        [
            *(*_TWISTD, "-n", "--pidfile=", "tlsdemo", "--listen=tcp:0:interface=127.0.0.1"),
            *(
                "--role=sink",
                "--mode=pair",
                "--status=none",
                "--log-first=0",
                "--log-every=0",
                certs,
            ),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"listening on tcp:127\.0\.0\.1:(\d+)", line):
                yield int(found[1])
                return
        raise CannotMeasure("the server does not listen")
    finally:
        process.terminate()
        process.communicate()


def task(port: int, **changes: Any) -> Task:
    """Return the work of our client."""
    client = temporary_certificates().client
    whole = Task(
        connections=CONNECTIONS,
        connect=f"tcp:127.0.0.1:{port}",
        server_name="localhost",
        mode=ModeName.STARTTLS.value,
        send="raw",
        packet_size=SIZE,
        packets=0,
        burst=64,
        rate=0.0,
        in_flight=256,
        timeout=LIMIT,
        certificate=str(client.certificate),
        key=str(client.key),
        authority=str(client.authority),
        groups="X25519",
    )
    return replace(whole, **changes)


def ours(work: Task, seconds: float) -> tuple[float, Mapping[str, Any]]:
    """Return the CPU seconds of a worker from the beginning of its load, and its counters."""
    child = Child([sys.executable, "-m", "tlsdemo.loadgen.worker"])
    try:
        child.tell(json.dumps({"tasks": [work.as_json()]}))
        child.tell(json.dumps({"do": "open"}))
        _report(child, lambda report: report["state"] == "settled")
        window = Window(number=1, seconds=seconds)
        child.tell(json.dumps({"do": "begin", "windows": [window.as_json()]}))
        began = _report(child, lambda report: report["window"] == 1)
        if work.packets:
            ended = _report(child, lambda report: report["state"] == "over")
        else:
            _report(child, lambda report: report["at"] - began["at"] >= seconds)
            child.tell(json.dumps({"do": "rest"}))
            ended = _report(child, lambda report: report["resting"] and not report["outstanding"])
        counters = ended["counters"]
        if counters["failed"]:
            raise CannotMeasure(f"connections failed: {counters['failed']}")
        return ended["cpu"] - began["cpu"], counters
    finally:
        child.stop()


def _report(child: Child, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    while True:
        report = child.line()
        if wanted(report):
            return report


def our_handshake(port: int) -> float:
    """Return the CPU seconds of one handshake of churn."""
    cpu, counters = ours(task(port, scenario="churn"), SECONDS)
    return cpu / float(counters["clean"])


def our_packet(port: int, **changes: Any) -> float:
    """Return the CPU seconds of one packet."""
    cpu, counters = ours(task(port, packets=PACKETS, **changes), LIMIT)
    return cpu / float(counters["packets"])


def s_time_handshake(port: int) -> float:
    """Return the CPU seconds of one handshake of ``openssl s_time``."""
    client = temporary_certificates().client
    before = os.times()
    done = subprocess.run(
        [
            *(program("openssl"), "s_time", "-connect", f"127.0.0.1:{port}", "-new"),
            *("-time", str(SECONDS), "-verify", "3", "-CAfile", str(client.authority)),
            *("-cert", str(client.certificate), "-key", str(client.key)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )
    after = os.times()
    found = re.findall(r"(\d+) connections in", done.stdout)
    if not found or int(found[0]) == 0:
        raise CannotMeasure(f"openssl s_time: {done.stdout[-300:]}")
    spent = after.children_user + after.children_system
    return (spent - before.children_user - before.children_system) / int(found[0])


def node_packet(how: str, port: int) -> float:
    """Return the CPU seconds of one packet of Node; ``how`` is an argument of the program."""
    client = temporary_certificates().client
    child = Child(
        [
            *(program("node"), str(_NODE_SENDER), how, str(port), str(CONNECTIONS)),
            *(str(PACKETS), str(SIZE)),
            *(str(client.certificate), str(client.key), str(client.authority)),
        ]
    )
    try:
        report = child.line(LIMIT)
        return float(report["cpu"] / report["packets"])
    finally:
        child.stop()


def program(name: str) -> str:
    """Return the path of a program."""
    path = shutil.which(name)
    if path is None:
        raise CannotMeasure(f"there is no {name}")
    return path


MEASURES: dict[str, Callable[[int], float]] = {
    "handshake, openssl s_time -new": s_time_handshake,
    "handshake, --scenario=churn": our_handshake,
    "record of a packet, Node": partial(node_packet, "records"),
    "record of a packet, --send=raw": our_packet,
    "the same with --prefill": partial(our_packet, prefill=True),
    "joined packet, Node": partial(node_packet, "joined"),
    "joined packet, --send=buffered": partial(our_packet, send="buffered"),
}

RATIOS = (
    ("handshake, --scenario=churn", "handshake, openssl s_time -new", MOST_HANDSHAKE),
    ("record of a packet, --send=raw", "record of a packet, Node", MOST_PACKET),
    ("the same with --prefill", "record of a packet, Node", MOST_PACKET),
    ("joined packet, --send=buffered", "joined packet, Node", MOST_PACKET),
)
"""What is compared with what, and what the ratio of the CPU times may be."""


def main() -> int:
    """Measure, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often [5]")
    rounds = parser.parse_args().rounds
    measured: dict[str, list[float]] = {name: [] for name in MEASURES}
    try:
        with server() as port:
            for _ in range(rounds):
                for name, measure in MEASURES.items():
                    measured[name].append(measure(port))
    except CannotMeasure as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 2
    for name, values in measured.items():
        least, middle, most = (
            1e6 * each for each in (min(values), statistics.median(values), max(values))
        )
        print(f"{name:32} {middle:9.2f} µs of CPU ({least:.2f} to {most:.2f})")
    kept = True
    for name, other, limit in RATIOS:
        ratios = [
            mine / theirs for mine, theirs in zip(measured[name], measured[other], strict=True)
        ]
        ratio = statistics.median(ratios)
        kept = kept and ratio <= limit
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        verdict = "yes" if ratio <= limit else "NO"
        print(f"{name} / {other}: {ratio:.2f} ({spread}), at most {limit:g}: {verdict}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
