"""A server's counters at one moment, and the difference between two such snapshots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Snapshot:
    """Counters since the start of a server, except ``open`` and ``lag``.

    Attributes:
        at: Seconds of the server's clock.
        cpu: Seconds of user and system time of the process.
        opened: Accepted connections.
        open: Connections that are open now.
        secured: Connections whose handshake succeeded.
        clean: Connections that ended in order.
        probes: Connections of clients that went away without having asked for TLS or sent anything.
        bytes_in: Bytes of cleartext from the clients.
        bytes_out: Bytes of cleartext to the clients.
        events: Calls of the application's ``dataReceived``.
        records: TLS records of application data that were received.
        sink_received: Bytes that the embedded sink received; ``None`` without a sink.
        lag: The longest delay of the reactor in seconds, since the last snapshot with a reset.
        failed: Failed connections, by the name of the close reason.
    """

    at: float = 0.0
    cpu: float = 0.0
    opened: int = 0
    open: int = 0
    secured: int = 0
    clean: int = 0
    probes: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    events: int = 0
    records: int = 0
    sink_received: int | None = None
    lag: float = 0.0
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """The number of failed connections."""
        return sum(self.failed.values())

    @property
    def bytes_per_event(self) -> float:
        """The average number of cleartext bytes in an event; 0 before the first."""
        return self.bytes_in / self.events if self.events else 0.0

    @property
    def records_per_event(self) -> float:
        """The average number of TLS records in an event; 0 before the first."""
        return self.records / self.events if self.events else 0.0

    @property
    def proxied(self) -> int:
        """Bytes of cleartext in both directions."""
        return self.bytes_in + self.bytes_out

    def counts(self) -> dict[str, Any]:
        """Return what connections have changed, without the times that pass by themselves."""
        return {name: v for name, v in self.as_json().items() if name not in ("at", "cpu", "lag")}

    def since(self, earlier: Snapshot) -> Snapshot:
        """Return the increase since ``earlier``; ``open`` and ``lag`` keep their current values."""
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

    @classmethod
    def total(cls, snapshots: Iterable[Snapshot]) -> Snapshot:
        """Add up the counters of several processes; ``at`` and ``lag`` are the greatest."""
        several = list(snapshots)
        totals: dict[str, Any] = {
            name: sum(getattr(each, name) for each in several) for name in (*_ADDED, "open")
        }
        received = [each.sink_received for each in several if each.sink_received is not None]
        failed: Counter[str] = Counter()
        for each in several:
            failed.update(each.failed)
        return cls(
            **totals,
            at=max((each.at for each in several), default=0.0),
            lag=max((each.lag for each in several), default=0.0),
            sink_received=sum(received) if received else None,
            failed=dict(failed),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {**asdict(self), "failed": dict(self.failed)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Snapshot:
        """Read the result of :meth:`as_json`; unknown fields, of a newer server, are ignored.

        Raises ValueError if a value is not a number, or too great for a counter.
        """
        known = {each.name for each in fields(cls)}
        read = {name: value for name, value in values.items() if name in known}
        for name, value in read.items():
            if name == "failed":
                if not isinstance(value, Mapping):
                    raise ValueError(f"{value!r:.60} are not the causes of failures")
                read[name] = {str(cause): counted(count) for cause, count in value.items()}
            elif value is not None or name != "sink_received":
                read[name] = counted(value)
        return cls(**read)


def counted(value: Any) -> Any:
    """Return a number that another process has counted or measured.

    Raises ValueError if ``value`` is not a number from 0 to 2^63.
    """
    if type(value) not in (int, float) or not 0 <= value < 1 << 63:
        raise ValueError(f"{value!r:.60} is not a counter")
    return value


_ADDED = (
    *("cpu", "opened", "secured", "clean", "probes"),
    *("bytes_in", "bytes_out", "events", "records"),
)
"""The counters of which every process has some."""

_TOTALS = [each.name for each in fields(Snapshot) if each.name not in ("open", "lag", "failed")]
