"""The options by which several processes or machines share a load."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.option_groups import Group, GroupedOptions
from tlsdemo.cli.options import named, seconds
from tlsdemo.loadgen.shard import MOST_SHARDS, shard_number

LOCAL = "local"

MOST_AHEAD = 86_400.0
"""Seconds that --start-at may be ahead: one that is further has another unit."""

LATE_AT_MOST = 1.0
"""Seconds by which --start-at may have passed: later, a shard would run alone, or again."""

_CLUSTER = re.compile(r"(tcp|tls)://\S+:\d{1,5}")


def start_time(text: str) -> float:
    """Read a time: seconds since the epoch, or ISO 8601 with a time zone.

    >>> start_time("2026-11-28T12:00:00+00:00")
    1795867200.0
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        # Python 3.10 does not know the Z.
        read = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise ValueError("neither seconds since 1970, as date +%s says, nor like 2026-01-31T12:00Z")
    return read.timestamp()


def cluster(text: str) -> str:
    """Read the address of a Dask scheduler, or `LOCAL`."""
    if text != LOCAL and not _CLUSTER.fullmatch(text):
        raise ValueError(f"neither {LOCAL} nor like tcp://scheduler:8786")
    return text


class ShardOptions(GroupedOptions):
    """What is written, run or merged of a load that is shared."""

    optParameters: ClassVar[list[list[Any]]] = named([
        ["write-plan", None, None, "Do nothing, but write the load that the other options say to "
         "this file, for --plan."],
        ["plan", None, None, "File from --write-plan: run the --shard of it, and leave its result "
         "in --json, for tlsdemo merge."],
        ["shard", None, None, "Which part of the --plan, of how many: from 1/8 to 8/8; at most "
         f"{MOST_SHARDS:,}.", shard_number],
        ["start-at", None, None, "When the shard begins, so that all do together: seconds since "
         "1970, or like 2026-01-31T12:00:00Z. A shard that is more than "
         f"{LATE_AT_MOST:g} s late is refused. [default: at once]", start_time],
        ["open-for", None, None, "Seconds from the start in which connections are opened that are "
         "open before the load; then all shards begin it. [default: 5, and 0 in churn]",
         seconds(0.0)],
        ["cluster", None, None, "Put on the load from the workers of a Dask cluster, a shard each: "
         "the scheduler's address, such as tcp://scheduler:8786, or local for --workers processes "
         "on this machine.", cluster],
    ])  # fmt: skip

    groups: ClassVar[Mapping[Group, str]] = {
        Group.DEMONSTRATION: "write-plan plan shard start-at open-for cluster",
    }

    def check_shard(self) -> None:
        """Raise UsageError if what makes a shard is not complete, or if it is too late."""
        if self["plan"] is not None and self["shard"] is None:
            raise usage.UsageError("--plan needs --shard, which says what part of it is run here")
        if self["shard"] is not None and self["plan"] is None:
            raise usage.UsageError("--shard needs --plan, the file from --write-plan")
        if self["plan"] is not None and self["json"] is None:
            raise usage.UsageError("--shard needs --json, which tlsdemo merge reads")
        if self["start-at"] is not None:
            late = time.time() - self["start-at"]
            given = dict(self.given())["start-at"]
            if late > LATE_AT_MOST:
                raise usage.UsageError(
                    f"--start-at is {given!r}, {late:,.1f} s ago: the other shards are under way, "
                    "or this one has been run; begin all of them again"
                )
            if -late > MOST_AHEAD:
                raise usage.UsageError(
                    f"--start-at is {given!r}, more than a day ahead; it is in seconds"
                )
