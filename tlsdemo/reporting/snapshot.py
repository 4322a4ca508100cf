"""The figures of a server at one moment, and what can be told from two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Snapshot:
    """Totals since a server began, but for ``open`` and ``lag``.

    ``at`` and ``cpu``: seconds, of the clock and of the process's user and system time.
    ``bytes_in``/``bytes_out``: cleartext from and to the clients.  ``events``: how often an
    application was handed bytes; ``records``: TLS records of application data that came in.
    ``sink_received``: bytes that the embedded sink got, ``None`` where there is none.
    ``failed``: connections that did not end as they should, by the name of the cause.
    ``lag``: the greatest lateness of the reactor in seconds, since the last one that was taken
    with a reset.
    """

    at: float = 0.0
    cpu: float = 0.0
    opened: int = 0
    open: int = 0
    secured: int = 0
    clean: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    events: int = 0
    records: int = 0
    sink_received: int | None = None
    lag: float = 0.0
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """How many connections failed, whatever the cause."""
        return sum(self.failed.values())

    @property
    def bytes_per_event(self) -> float:
        """TLSStream bytes an event brought on average; 0 before the first."""
        return self.bytes_in / self.events if self.events else 0.0

    @property
    def records_per_event(self) -> float:
        """TLS records an event was made of on average; 0 before the first."""
        return self.records / self.events if self.events else 0.0

    @property
    def proxied(self) -> int:
        """TLSStream bytes in both directions."""
        return self.bytes_in + self.bytes_out

    def since(self, earlier: Snapshot) -> Snapshot:
        """Return what has come since ``earlier``; ``open`` and ``lag`` stay as they are now."""
        totals = {
            name: getattr(self, name) - getattr(earlier, name)
            for name in _TOTALS
            if getattr(self, name) is not None and getattr(earlier, name) is not None
        }
        failed = {
            cause: count - earlier.failed.get(cause, 0)
            for cause, count in self.failed.items()
            if count > earlier.failed.get(cause, 0)
        }
        return Snapshot(**totals, open=self.open, lag=self.lag, failed=failed)

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry."""
        return {**asdict(self), "failed": dict(self.failed)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Snapshot:
        """Read what :meth:`as_json` gave; names that are not known are left out."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


_TOTALS = [each.name for each in fields(Snapshot) if each.name not in ("open", "lag", "failed")]
