"""What ``--web`` costs each handshake and each record of a server, in instructions.

``python -m bench.page_instructions``: counts the workload of `bench.instructions`, in turns without
and with what observes connections for the pages, and fails if one of them costs more than
`MOST` per cent.  A handshake is counted with its client, which is in the same process; so the
server's part of it is measured in CPU time, and the cost is told of that part.
"""

from __future__ import annotations

import argparse
import ssl
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from time import thread_time
from typing import Any

from twisted.internet.task import Clock

from bench.instruction_workload import BURST, BURSTS, HANDSHAKES
from bench.instructions import COUNTS, CannotCount, count, least
from bench.peers.traced import Client, certificates, factory
from tlsdemo.cli.standard_output import guarded

COMMAND = "python -m bench.page_instructions"

MOST = 2.0
"""Per cent that a handshake or a record may cost more."""

TIMED = 300
"""Handshakes whose CPU time tells the server's part."""


def servers_part() -> float:
    """Return the part that the server has in the CPU time of a handshake with its client."""
    clock: Any = Clock()
    with tempfile.TemporaryDirectory() as home:
        files = certificates(Path(home), datetime.now(timezone.utc))
        server = factory("pair", "none", clock, Path(home), files.server)
        context = ssl.create_default_context(cafile=files.client.authority)
        context.load_cert_chain(files.client.certificate, files.client.key)
        context.set_ecdh_curve("X25519")
        used, began = 0.0, thread_time()
        for number in range(1, TIMED + 1):
            client = Client(context, server, number)
            client.handshake()
            used += client.cpu
        return used / (thread_time() - began)


def main() -> int:
    """Print a line for each part, and return the exit status."""
    argparse.ArgumentParser(prog=COMMAND, description=__doc__).parse_args()
    without, pages = [], []
    try:
        for _ in range(COUNTS):
            without.append(count())
            pages.append(count(0.0, "pages"))
    except CannotCount as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 1
    before, after, part = least(without), least(pages), servers_part()
    passed = True
    for name, number, share in (("handshakes", HANDSHAKES, part), ("records", BURSTS * BURST, 1.0)):
        server = before[name] * share
        cost = (after[name] - before[name]) / server * 100
        passed = passed and cost <= MOST
        print(
            f"{name}: {server / number:,.0f} instructions of the server each, "
            f"{(after[name] - before[name]) / number:+,.0f} with --web: {cost:+.2f} %"
            + ("" if cost <= MOST else f": FAILED, more than {MOST:g} %")
        )
    print(f"The server has {part:.0%} of the CPU time of a handshake with its client.")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
