"""What ``bench.instructions`` counts: handshakes and records of a server in memory.

``python -m bench.instruction_workload [SLOWER [SERVER]]`` under callgrind, which begins without
counting; the program switches it on by ``callgrind_control`` around each part, and has it write a
file for each.  SLOWER: per cent of needless work that is added, to show that the count tells.
SERVER: ``pages`` for one whose connections are observed for the pages of ``--web``.
"""

from __future__ import annotations

import ctypes
import gc
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from bench.peers.traced import Client, certificates, factory

HANDSHAKES = 20
WARM_UP = 20
BURSTS = 200
BURST = 64

PARTS = ("handshakes", "records")

_LOOPS_A_PERCENT = {"handshakes": 950, "records": 68}
"""Rounds of an empty loop that are one per cent of a handshake, or of a burst."""


def control(*arguments: str) -> None:
    """Tell callgrind, under which this very process runs."""
    subprocess.run(
        ["callgrind_control", *arguments, str(os.getpid())],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30,
    )  # fmt: skip


def counted(part: str, work: Callable[[], object]) -> None:
    """Count the instructions of ``work``, and have them written under the name of the part."""
    # A collection in the middle of one run and not of the other would be counted as a change.
    gc.collect()
    gc.disable()
    # What lies free in the heap differs from run to run, as certificates differ in length, and so
    # does the search in it.
    ctypes.CDLL(None).malloc_trim(0)
    control("-i", "on")
    work()
    control(f"--dump={part}")
    control("-i", "off")
    gc.enable()


def waste(loops: int) -> None:
    """Do nothing, ``loops`` times."""
    for _ in range(loops):
        pass


def main(slower: float, pages: bool) -> None:
    """Do each part once to warm up, and once to count."""
    clock: Any = Clock()
    with tempfile.TemporaryDirectory() as home:
        files = certificates(Path(home), datetime.now(timezone.utc))
        server = factory("pair", "none", clock, Path(home), files.server, pages)
        context = ssl.create_default_context(cafile=files.client.authority)
        context.load_cert_chain(files.client.certificate, files.client.key)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_ecdh_curve("X25519")
        numbers = iter(range(1, 1 << 16))

        def secured() -> Client:
            client = Client(context, server, next(numbers))
            client.handshake()
            return client

        def handshakes(count: int) -> list[Client]:
            clients = []
            for _ in range(count):
                clients.append(secured())
                waste(round(slower * _LOOPS_A_PERCENT["handshakes"]))
            return clients

        def records(client: Client, bursts: list[bytes]) -> None:
            for burst in bursts:
                client.deliver(burst)
                waste(round(slower * _LOOPS_A_PERCENT["records"]))

        handshakes(HANDSHAKES // 4)
        counted("handshakes", lambda: handshakes(HANDSHAKES))
        client = secured()
        # Encrypted before: only the server is counted.
        bursts = [client.encrypt(BURST) for _ in range(BURSTS + WARM_UP)]
        records(client, bursts[:WARM_UP])
        counted("records", lambda: records(client, bursts[WARM_UP:]))
    sys.stdout.flush()
    # The end of the interpreter takes seconds under callgrind, and is not counted.
    os._exit(0)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0, sys.argv[2:] == ["pages"])
