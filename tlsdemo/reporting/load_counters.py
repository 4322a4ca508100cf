"""The counters of a load client, and the sum of those of its workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class LoadCounters:
    """The counters of one worker, or their sum.

    Attributes:
        begun: Connection attempts.
        secured: Connections whose handshake succeeded (in mode ``clear``: that were established).
        clean: Connections that ended in order after everything was sent.
        sent: Bytes of cleartext that were sent.
        received: Bytes of cleartext that were received.
        packets: Writes.
        failed: Failed connections, by the name of the close reason.
        details: What was said of the first failure of each name, if anything.
    """

    begun: int = 0
    secured: int = 0
    clean: int = 0
    sent: int = 0
    received: int = 0
    packets: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """The number of failed connections."""
        return sum(self.failed.values())

    @property
    def ended(self) -> int:
        """The number of connections that have ended, in order or not."""
        return self.clean + self.failures

    @classmethod
    def total(cls, counters: Iterable[LoadCounters]) -> LoadCounters:
        """Add up the counters of several workers."""
        workers = list(counters)
        failed: Counter[str] = Counter()
        for each in workers:
            failed.update(each.failed)
        details = {name: text for each in reversed(workers) for name, text in each.details.items()}
        sums = {
            name: sum(getattr(each, name) for each in workers)
            for name in ("begun", "secured", "clean", "sent", "received", "packets")
        }
        return cls(**sums, failed=dict(failed), details=details)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LoadCounters:
        """Read the result of :meth:`as_json`."""
        return cls(**values)
