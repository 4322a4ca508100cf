"""What is to be reached, as data, and whether a run has reached it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.measures import floors, growth, handshakes, memory, pipeline, records, responsiveness
from bench.samples import Results

OURS = ("pair", "starttls-coalesced")
NODE = ("node-tlssocket", "node-securepair")


@dataclass(frozen=True)
class Target:
    """One bound on a metric of ours.

    Attributes:
        title: What is bounded.
        measure: The name of the measure.
        case: The name of the case.
        metric: The name of the metric.
        bound: The bound, of the metric itself or of its ratio to ``against``.
        against: Peers to whose better figure it is a ratio; none for an absolute bound.
        against_case: The case of those, or of ourselves if there is no ``against``.
        at_least: Whether ours has to be at least, and not at most, the bound.
        ours: Our peers, all of which have to reach it.
    """

    title: str
    measure: str
    case: str
    metric: str
    bound: float
    against: tuple[str, ...] = ()
    against_case: str | None = None
    at_least: bool = False
    ours: tuple[str, ...] = OURS


@dataclass(frozen=True)
class Verdict:
    """What one of our peers has reached: ``value`` is None if that cannot be told."""

    target: Target
    peer: str
    value: float | None

    @property
    def text(self) -> str:
        """Return ``reached``, ``not reached``, or ``cannot tell``."""
        if self.value is None:
            return "cannot tell"
        bound = self.target.bound
        reached = self.value >= bound if self.target.at_least else self.value <= bound
        return "reached" if reached else "not reached"

    @property
    def relation(self) -> str:
        """Return the bound as text, such as ``≤ 0.17 of node``."""
        target = self.target
        sign = "≥" if target.at_least else "≤"
        if target.against:
            other = "the better of Node" if len(target.against) > 1 else target.against[0]
            return f"{sign} {target.bound:g} \N{MULTIPLICATION SIGN} {other}"
        if target.against_case is not None:
            return f"{sign} {target.bound:g} \N{MULTIPLICATION SIGN} {target.against_case}"
        return f"{sign} {target.bound:g}"


def targets() -> Iterator[Target]:
    """Return the targets of issue 11."""
    small = records.case_of(200, 32)
    for bound, against in (
        (0.17, NODE), (0.75, ("asyncio",)), (0.40, ("haproxy",)), (1.5, ("nginx",)),
        (1.4, (floors.SSL_READ,)), (1.0, ("aiofastnet",)),
    ):  # fmt: skip
        yield Target("CPU a 32-byte record", records.NAME, small, "cpu_us_a_record", bound, against)
    for size in (1024, 16384):
        case = records.case_of(200, size)
        for bound, against in ((1.0, ("asyncio",)), (1.3, ("nginx",))):
            title = f"CPU a MB with {size:,}-byte records"
            yield Target(title, records.NAME, case, "cpu_ms_a_megabyte", bound, against)
    for bound, against in (
        (1.05, ("twisted-stock",)), (0.33, NODE), (0.85, ("haproxy",)), (0.90, ("nginx",)),
    ):  # fmt: skip
        yield Target(
            "CPU an mTLS handshake in a storm", handshakes.NAME, handshakes.STORM,
            "cpu_ms_a_handshake", bound, against,
        )  # fmt: skip
    yield Target(
        "KiB an idle connection", memory.NAME, memory.case_of(2000), "kib_a_connection", 36.0
    )
    for bound, against in ((0.1, NODE), (2.0, ("nginx",))):
        yield Target(
            "a probe's p99, saturated", responsiveness.NAME, responsiveness.SATURATED,
            "probe_p99_ms", bound, against,
        )  # fmt: skip
    for metric, what in (("cpu_us_a_record", "record"), ("cpu_ms_a_handshake", "handshake")):
        yield Target(
            f"CPU a {what}, 2,000 connections to 10", growth.NAME, growth.case_of(2000), metric,
            1.25, against_case=growth.case_of(10),
        )  # fmt: skip
    for size in (100, 1024, 1 << 20):
        yield Target(
            f"Node's own workload, MB/s with writes of {size:,} B", pipeline.NAME,
            pipeline.case_of(size), "megabytes_a_second", 1.3, NODE, at_least=True,
        )  # fmt: skip


def verdicts(results: Results) -> Iterator[Verdict]:
    """Hold the results against every target."""
    for target in targets():
        for peer in target.ours:
            yield Verdict(target, peer, _value(results, target, peer))


def _value(results: Results, target: Target, peer: str) -> float | None:
    def median(name: str, case: str) -> float | None:
        return results.median(target.measure, case, name, target.metric)

    own = median(peer, target.case)
    if not target.against and target.against_case is None:
        return own
    case = target.against_case or target.case
    others = [median(name, case) for name in target.against or (peer,)]
    known = [each for each in others if each]
    if own is None or not known:
        return None
    return own / (max(known) if target.at_least else min(known))
