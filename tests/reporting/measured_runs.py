"""Runs that were not run: figures drawn from distributions that are known."""

from __future__ import annotations

import math
import random

from tlsdemo.reporting.run_document import MeasuredRun, Side

FIGURES = (
    "handshakes/s", "p50(handshake)", "p99(handshake)", "p50(round-trip)", "p99(round-trip)",
    "server-cpu/connection",
)  # fmt: skip

DRIFT = 0.10
"""How much the machine varies from round to round, on both sides alike (of the logarithm)."""

SHARED = 0.015
"""How much a run varies in all of its figures alike."""

OWN = 0.010
"""How much each figure of a run varies by itself."""


def run(generator: random.Random, drift: float, slower: float = 1.0) -> MeasuredRun:
    """Return a run on a server that needs ``slower`` times the CPU, and so is as much slower."""
    shared = drift + generator.gauss(0, SHARED)
    figures = {}
    for name in FIGURES:
        factor = slower * math.exp(shared + generator.gauss(0, OWN))
        figures[name] = 500 / factor if name.endswith("/s") else 0.001 * factor
    return MeasuredRun(figures)


def alternating(
    generator: random.Random, rounds: int, slower: float = 1.0, document: str = "one.json"
) -> tuple[Side, Side]:
    """Return a baseline, and a candidate that is ``slower``, whose runs alternated."""
    drifts = [generator.gauss(0, DRIFT) for _ in range(rounds)]
    return (
        Side("baseline", document, [run(generator, drift) for drift in drifts]),
        Side("candidate", document, [run(generator, drift, slower) for drift in drifts]),
    )
