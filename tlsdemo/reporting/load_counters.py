"""The counters of a load client, and the sum of those of its workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
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
        answered: Messages whose answer was right.
        missed: Units of work that were due, and could not be started in time.
        resumed: Handshakes that resumed a session.
        without_end: Connections of ``clean`` that the server closed without close_notify.
        groups: Handshakes by the group that was agreed on.
        failed: Failed connections, by the name of the close reason.
        details: What was said of the first failure of each name, if anything.
    """

    begun: int = 0
    secured: int = 0
    clean: int = 0
    sent: int = 0
    received: int = 0
    packets: int = 0
    answered: int = 0
    missed: int = 0
    resumed: int = 0
    without_end: int = 0
    groups: Mapping[str, int] = field(default_factory=dict)
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

    @property
    def open(self) -> int:
        """The number of connections that have been begun and have not ended."""
        return self.begun - self.ended

    @classmethod
    def total(cls, counters: Iterable[LoadCounters]) -> LoadCounters:
        """Add up the counters of several workers."""
        workers = list(counters)
        failed: Counter[str] = Counter()
        groups: Counter[str] = Counter()
        for each in workers:
            failed.update(each.failed)
            groups.update(each.groups)
        details = {name: text for each in reversed(workers) for name, text in each.details.items()}
        sums = {name: sum(getattr(each, name) for each in workers) for name in _NUMBERS}
        return cls(**sums, groups=dict(groups), failed=dict(failed), details=details)

    def since(self, earlier: LoadCounters) -> LoadCounters:
        """Return the increase since ``earlier``; the details stay as they are."""
        numbers = {name: getattr(self, name) - getattr(earlier, name) for name in _NUMBERS}
        groups = Counter(self.groups) - Counter(earlier.groups)
        failed = Counter(self.failed) - Counter(earlier.failed)
        return LoadCounters(
            **numbers, groups=dict(groups), failed=dict(failed), details=self.details
        )

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LoadCounters:
        """Read the result of :meth:`as_json`."""
        return cls(**values)


_NUMBERS = [each.name for each in fields(LoadCounters) if each.type == "int"]
