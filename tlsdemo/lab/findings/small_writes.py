"""A finding about cost: two modes measured side by side in the same run."""

from __future__ import annotations

import time

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import HandshakeRecorder, RecordingProtocol
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence, Verdict

_WRITES = 20_000
_SIZE = 2
_ROUNDS = 5

_CLEARLY = 1.15
"""The smallest ratio that counts as slower; its inverse counts as faster."""


async def _tiny_writes(testbed: Testbed) -> Evidence:
    plain, secure = RecordingProtocol(), HandshakeRecorder()
    await testbed.connect_peer(testbed.serve(plain, "plain"))
    await testbed.require("connect", lambda: plain.callbacks)
    peer = await testbed.secured_peer_of(secure)
    peer.tls = None  # From now on it only reads.
    spent: dict[RecordingProtocol, list[float]] = {plain: [], secure: []}
    for _ in range(_ROUNDS):
        for application, seconds in spent.items():
            began = time.thread_time()
            write, data = application.transport.write, b"x" * _SIZE
            for _ in range(_WRITES):
                write(data)
            # The reactor encrypts and sends in its next iteration.
            await testbed.pause(0.02)
            seconds.append(time.thread_time() - began)
    ratio = min(spent[plain]) / min(spent[secure])
    lines = (
        f"CPU time of {_WRITES:,} writes of {_SIZE} B and of sending them, best of {_ROUNDS}",
        f"plain TCP: {min(spent[plain]) * 1e6 / _WRITES:.2f} µs per write",
        f"TLS: {min(spent[secure]) * 1e6 / _WRITES:.2f} µs per write",
        f"plain TCP costs {ratio:.2f} times as much as TLS",
    )
    if 1 / _CLEARLY < ratio < _CLEARLY:
        return Evidence(Verdict.UNKNOWN, lines, "the difference is too small to be sure")
    return evidence(ratio > 1, *lines)


FINDINGS = (
    Finding(
        "plain-slower-than-tls",
        "Tiny writes cost more on plain TCP than through TLS.",
        "Since Twisted combines small writes before it encrypts them, a write under TLS appends "
        "to a list. On plain TCP each write goes through the bookkeeping of the transport. A "
        "benchmark with tiny packets therefore shows that TLS is faster, which says nothing about "
        "encryption. Measure with the sizes that you really send, and combine writes yourself. "
        "That is why tlsdemo run shows the mode clear beside the others.",
        _tiny_writes,
    ),
)
