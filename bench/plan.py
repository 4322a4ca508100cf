"""How much is measured: the numbers of ``make bench`` and of ``make bench-quick``, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The numbers of a run.

    Attributes:
        rounds: How often everything is measured, in turn.
        record_sizes: Bytes of cleartext in a record.
        record_connections: How many connections share the records.
        records: Records in a case; at least ``records_each`` a connection.
        records_each: The least number of records on a connection.
        most_bytes: Bytes of cleartext in a case, at most.
        handshakes: Handshakes in a case.
        at_once: Handshakes begun at the same time.
        idle: Numbers of idle connections whose memory is measured.
        streaming: Connections that stream while a probe is timed.
        seconds: Seconds of that.
        rate: Records a second in all, at equal load.
        growth: Numbers of connections whose cost a unit is compared.
        pipeline_sizes: Bytes of a write in Node's own workload.
        pipeline_seconds: Seconds of that.
        variants: Whether the reactors and the workers are compared.
    """

    rounds: int
    record_sizes: tuple[int, ...]
    record_connections: tuple[int, ...]
    records: int
    records_each: int
    most_bytes: int
    handshakes: int
    at_once: int
    idle: tuple[int, ...]
    streaming: int
    seconds: float
    rate: int
    growth: tuple[int, ...]
    pipeline_sizes: tuple[int, ...]
    pipeline_seconds: float
    variants: bool


FULL = Plan(
    rounds=3,
    record_sizes=(2, 32, 100, 1024, 16384),
    record_connections=(1, 200, 2000),
    records=500_000,
    records_each=500,
    most_bytes=128_000_000,
    handshakes=500,
    at_once=2000,
    idle=(2000, 20_000),
    streaming=2000,
    seconds=4.0,
    rate=100_000,
    growth=(10, 100, 500, 2000),
    pipeline_sizes=(2, 100, 1024, 1 << 20),
    pipeline_seconds=3.0,
    variants=True,
)

QUICK = Plan(
    rounds=1,
    record_sizes=(32, 1024, 16384),
    record_connections=(200,),
    records=250_000,
    records_each=500,
    most_bytes=64_000_000,
    handshakes=200,
    at_once=500,
    idle=(500,),
    streaming=500,
    seconds=1.0,
    rate=100_000,
    growth=(10, 500),
    pipeline_sizes=(100, 1024),
    pipeline_seconds=1.0,
    variants=False,
)
"""Fewer cases, fewer connections and one round: to see the shape, not to quote."""
