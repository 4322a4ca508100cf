"""Which processors the measured program has, and which the load and the sink."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALL = "all"
"""Every processor, where a program is not bound to one."""


@dataclass(frozen=True)
class Affinity:
    """The processors of the peer and of everything else, as ``end_with_parent.py`` takes them."""

    peer: str
    load: str

    @classmethod
    def of(cls, cpus: Iterable[int]) -> Affinity:
        """Give the peer the last of ``cpus`` alone, and the load the others.

        A single processor is shared; then the load takes time from the peer, but is not counted.
        """
        *others, last = sorted(cpus)
        if not others:
            return cls(ALL, ALL)
        return cls(str(last), ",".join(map(str, others)))
