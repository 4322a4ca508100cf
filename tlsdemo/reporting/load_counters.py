"""What a load client has done so far, and how the tallies of its workers add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class LoadCounters:
    """Figures of a worker, or of all together.

    ``begun``, ``secured`` and ``clean``: connections that were opened, that could be used (in
    mode ``clear``: that were connected), and that ended in order after all was sent.  ``failed``:
    by the name of the cause.  ``sent`` and ``received``: cleartext bytes; ``packets``: writes.
    """

    begun: int = 0
    secured: int = 0
    clean: int = 0
    sent: int = 0
    received: int = 0
    packets: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """How many connections failed, whatever the cause."""
        return sum(self.failed.values())

    @property
    def ended(self) -> int:
        """How many connections have come to an end, good or bad."""
        return self.clean + self.failures

    @classmethod
    def total(cls, counters: Iterable[LoadCounters]) -> LoadCounters:
        """Add up the counters of several workers."""
        workers = list(counters)
        failed: Counter[str] = Counter()
        for each in workers:
            failed.update(each.failed)
        sums = {
            name: sum(getattr(each, name) for each in workers)
            for name in ("begun", "secured", "clean", "sent", "received", "packets")
        }
        return cls(**sums, failed=dict(failed))

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LoadCounters:
        """Read what :meth:`as_json` gave."""
        return cls(**values)
