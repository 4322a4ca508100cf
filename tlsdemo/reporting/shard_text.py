"""PURE.  The shards of a load as text: what each did, and whether they did it together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsdemo.reporting.shard_result import ShardResult

APART = 0.1
"""The share of a window by which shards may begin it apart from each other."""


def shard_line(shard: ShardResult) -> str:
    """Return what one shard did."""
    counters = shard.run.counters
    did = (
        f"{counters.begun:,} connections begun, {counters.secured:,} secured, "
        f"{counters.failures:,} failed, {counters.clean:,} ended in order"
    )
    began = ""
    if shard.start_at is not None and shard.started is not None:
        began = f", began {shard.late(shard.started) * 1000:+,.0f} ms"
    return f"shard {shard.number} of {shard.of} on {shard.host}{began}: {did}{_clock(shard)}"


def _clock(shard: ShardResult) -> str:
    if shard.clock is None:
        return ""
    ahead, error = shard.clock
    which = "ahead" if ahead >= 0 else "behind"
    return f"; its clock was {abs(ahead) * 1000:,.1f} ± {error * 1000:,.1f} ms {which}"


def together_lines(shards: Sequence[ShardResult]) -> Iterator[str]:
    """Return how far apart the shards began each window, and a warning if that is much."""
    clocks = "" if all(each.clock for each in shards) else ", by their machines' clocks"
    for index, window in enumerate(shards[0].run.windows):
        began = [
            each.late(each.windows_began[index])
            for each in shards
            if index < len(each.windows_began)
        ]
        if len(began) < 2:
            continue
        apart = max(began) - min(began)
        yield f"window {index + 1} began within {apart * 1000:,.0f} ms{clocks}"
        if apart > APART * window.seconds:
            yield (
                f"warning: that is much for {window.seconds:g} s: the load was not put on by all "
                "shards together; give --start-at later, plan a longer --open-for, or compare the "
                "clocks"
            )
