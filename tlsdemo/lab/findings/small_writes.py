"""Findings about what things cost, each measured against another in the same run."""

from __future__ import annotations

import time

from tlsdemo.lab.findings.finding import Evidence, Finding, Verdict, evidence
from tlsdemo.lab.findings.recording_protocols import Listening, Recording
from tlsdemo.lab.findings.testbed import Testbed

_WRITES = 20_000
_SIZE = 2
_ROUNDS = 5

_CLEARLY = 1.15
"""The least ratio that counts as slower, and its inverse as faster."""


async def _tiny_writes(lab: Testbed) -> Evidence:
    servers: dict[str, Recording] = {"plain": Recording(), "wrapped": Listening()}
    for way, application in servers.items():
        port = lab.serve(application, way)
        peer = await (lab.peer(port) if way == "plain" else lab.secured(port))
        # It reads, and does no more than that.
        peer.tls = None
        await lab.must("connect", lambda each=application: each.events)  # type: ignore[misc]
    spent: dict[str, list[float]] = {way: [] for way in servers}
    for _ in range(_ROUNDS):
        for way, application in servers.items():
            began = time.thread_time()
            write, data = application.transport.write, b"x" * _SIZE
            for _ in range(_WRITES):
                write(data)
            # The writes are done a turn of the reactor later, and encrypted then.
            await lab.pause(0.02)
            spent[way].append(time.thread_time() - began)
    plain, secure = min(spent["plain"]), min(spent["wrapped"])
    ratio = plain / secure
    seen = (
        f"{_WRITES:,} writes of {_SIZE} B, sent; the best of {_ROUNDS} rounds, CPU time",
        f"plain TCP: {plain * 1e6 / _WRITES:.2f} µs a write",
        f"TLS: {secure * 1e6 / _WRITES:.2f} µs a write",
        f"plain TCP costs {ratio:.2f} times what TLS does",
    )
    if 1 / _CLEARLY < ratio < _CLEARLY:
        return Evidence(Verdict.UNKNOWN, seen, "the difference is too small to be sure")
    return evidence(ratio > 1, *seen)


FINDINGS = (
    Finding(
        "plain-slower-than-tls",
        "Tiny writes cost more in the clear than through TLS.",
        "Since Twisted joins small writes before it encrypts them, a write under TLS is an "
        "append to a list. On plain TCP each goes through the bookkeeping of the transport. So "
        "a measurement with tiny packets shows TLS as the faster one, and says nothing of "
        "encryption. Compare with sizes that you have, and join writes yourself; tlsdemo run "
        "shows the mode clear beside the others for that reason.",
        _tiny_writes,
    ),
)
