"""tshark captures the same records as the relay, with the same lengths."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from interop.attempts import Part, tried
from interop.peers import program
from tlsdemo.lab.laboratory import Cell, Laboratory
from tlsdemo.lab.scenario_certificates import make_certificates
from tlsdemo.lab.scenario_matrix import observe
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.trace.model import End, Trace
from tlsdemo.trace.record import Kind

CELLS = [
    Cell(mode, tls, SCENARIOS[scenario])
    for mode in ("starttls", "pair", "wrapped")
    for tls in ("1.2", "1.3")
    for scenario in ("ok", "ok with client certificate", "client certificate missing", "RST")
]

PARTS = tuple(
    Part("client and server", "immediate", mode)
    for mode in dict.fromkeys(cell.mode for cell in CELLS)
)

HEADER = 5
TIMEOUT = 20.0

CONTENT_TYPES = {
    "20": Kind.CHANGE_CIPHER_SPEC,
    "21": Kind.ALERT,
    "22": Kind.HANDSHAKE,
    "23": Kind.APPLICATION_DATA,
}

Record = tuple[End, Kind, int]


class Capture:
    """A capture of the loopback interface."""

    def __init__(self, tshark: str, file: Path) -> None:
        self._tshark = tshark
        self._file = file
        self._process = subprocess.Popen(
            [tshark, "-q", "-n", "-i", "lo", "-f", "tcp", "-w", str(self._file)],
            stderr=subprocess.PIPE,
        )

    def start(self) -> None:
        """Wait until it is capturing."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if b"Capturing on" in line:
                break
        # The message is printed just before the first packet can be captured.
        end = time.monotonic() + TIMEOUT
        while not self._file.exists() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)

    def stop(self) -> None:
        """Stop it, after the last packets have been captured."""
        time.sleep(0.5)
        self._process.terminate()
        self._process.communicate(timeout=TIMEOUT)

    def connections(self, port: int) -> list[list[Record]]:
        """Return the records of each connection to ``port`` that tshark captured."""
        fields = ("tcp.stream", "tcp.dstport", "tls.record.content_type", "tls.record.opaque_type",
                  "tls.record.length")  # fmt: skip
        lines = subprocess.run(
            [self._tshark, "-r", str(self._file), "-d", f"tcp.port=={port},tls",
             # "OK" is too short for a header, and must not wait for the rest of one.
             "-o", "tls.desegment_ssl_records:FALSE",
             "-Y", f"tcp.port=={port} && tls.record", "-T", "fields",
             *(word for field in fields for word in ("-e", field))],
            capture_output=True, text=True, check=True, timeout=TIMEOUT,
        ).stdout.splitlines()  # fmt: skip
        found: dict[str, list[Record]] = {}
        for line in lines:
            stream, to, types, opaque, lengths = line.split("\t")
            sender = End.CLIENT if int(to) == port else End.SERVER
            kinds = [*filter(None, types.split(",")), *filter(None, opaque.split(","))]
            for kind, length in zip(kinds, lengths.split(","), strict=True):
                record = sender, CONTENT_TYPES[kind], int(length) + HEADER
                found.setdefault(stream, []).append(record)
        return [*found.values()]


def relayed(trace: Trace) -> Iterator[Record]:
    """Return the records that the relay observed, without the plain bytes before TLS."""
    for arrow in trace.arrows():
        if arrow.record.kind is not Kind.PLAIN:
            yield arrow.sender, arrow.record.kind, arrow.record.length


def by_sender(seen: list[Record]) -> list[list[Record]]:
    """Return the records of each end; how the two directions interleave may differ."""
    return [[each for each in seen if each[0] is end] for end in End]


class TShark(TestCase):
    timeout = 120

    def setUp(self) -> Deferred[Any]:  # type: ignore[override]
        self.home = Path(self.mktemp())
        self.home.mkdir()
        self.capture = Capture(program("tshark", "tshark"), self.home / "captured.pcapng")
        return deferToThread(self.capture.start)

    @tried("captures the same records of 24 connections as our relay", "tshark", parts=PARTS)
    def test_sees_the_same_records_in_the_same_order_with_the_same_lengths(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._compare())

    async def _compare(self) -> None:
        certificates = make_certificates(self.home / "certificates", datetime.now(timezone.utc))
        seen = await observe(Laboratory(reactor, certificates), CELLS, times=1)
        await deferToThread(self.capture.stop)
        compared = 0
        for observation in seen:
            (trace,) = observation.traces
            captured = self.capture.connections(int(str(trace.facts["port"])))
            ours = list(relayed(trace))
            # Any other program on this machine may use the same port before or after the relay.
            self.assertIn(by_sender(ours), [*map(by_sender, captured)], trace.title)
            compared += len(ours)
        self.assertGreater(compared, 10 * len(CELLS))
        print(f"{compared} records of {len(CELLS)} connections: tshark saw the same")
