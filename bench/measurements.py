"""Measurements and their summaries: plain data and arithmetic, without I/O."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

MEGABYTE = 1_000_000

_MOST_OF_A_RECORD = 1 << 14  # RFC 8446, section 5.1


class Fault(enum.Enum):
    """Why a measurement is not valid."""

    NOT_INSTALLED = "not here"
    NOT_STARTED = "not started"
    NOT_DONE = "not done"
    NOT_SECURED = "not secured"
    NOT_SENT = "not sent"
    NOT_ARRIVED = "not arrived"


@dataclass(frozen=True)
class Measurement:
    """One proxy under the load once.

    ``connections`` should each send ``packets_each`` packets.  ``secured``, ``failed`` (by close
    reason), ``packets`` and ``sent`` (bytes) are the client's counters.  ``cpu_securing`` and
    ``cpu_sending``: CPU seconds of the proxy until all connections were secured, and from then
    until all were drained and closed; ``seconds_securing`` and ``seconds_sending``: the same in
    wall-clock time.  ``arrived``: bytes that the sink received.  ``events``: how often the proxy's
    application was handed bytes, None if it does not count them.  ``broken``: why there are no
    metrics, or none that can be trusted, and ``problem``: the same in one line.
    """

    peer: str
    round: int
    connections: int = 0
    packets_each: int = 0
    packet_size: int = 0
    secured: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    packets: int = 0
    sent: int = 0
    arrived: int = 0
    cpu_securing: float = 0.0
    cpu_sending: float = 0.0
    seconds_securing: float = 0.0
    seconds_sending: float = 0.0
    events: int | None = None
    broken: Fault | None = None
    problem: str | None = None

    @property
    def invalid(self) -> Fault | None:
        """Why this measurement is not valid, None if it is."""
        if self.broken is not None:
            return self.broken
        if self.secured != self.connections:
            return Fault.NOT_SECURED
        if self.sent != self.connections * self.packets_each * self.packet_size:
            return Fault.NOT_SENT
        if self.arrived != self.sent:
            return Fault.NOT_ARRIVED
        return None

    @property
    def fault_text(self) -> str | None:
        """The same in one line."""
        match self.invalid:
            case None:
                return None
            case Fault.NOT_SECURED:
                what = f"{self.secured} of {self.connections} connections were secured"
            case Fault.NOT_SENT:
                what = f"only {self.sent:,} bytes could be sent"
            case Fault.NOT_ARRIVED:
                what = f"sent {self.sent:,} bytes, and {self.arrived:,} arrived"
            case _:
                return self.problem
        return f"{what}; {self._failures}"

    @property
    def note(self) -> str | None:
        """A remark on a valid measurement: connections that were not closed cleanly."""
        return self._failures if self.failed and self.invalid is None else None

    @property
    def _failures(self) -> str:
        causes = ", ".join(f"{cause} {count}" for cause, count in sorted(self.failed.items()))
        return f"connections that did not end in order, as the client saw it: {causes or 'none'}"

    @property
    def per_handshake(self) -> float | None:
        """CPU seconds of the proxy to accept, secure and join one connection."""
        return self.cpu_securing / self.secured if self.secured else None

    @property
    def per_record(self) -> float | None:
        """CPU seconds of the proxy for one TLS record."""
        records = self.packets * -(-self.packet_size // _MOST_OF_A_RECORD)
        return self.cpu_sending / records if records else None

    @property
    def per_megabyte(self) -> float | None:
        """CPU seconds of the proxy for one MB of cleartext."""
        return self.cpu_sending * MEGABYTE / self.sent if self.sent else None

    @property
    def bytes_per_event(self) -> float | None:
        """Cleartext bytes for each event of the proxy's application."""
        return self.sent / self.events if self.events else None

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        return {
            **asdict(self),
            "failed": dict(self.failed),
            "broken": None if self.broken is None else self.broken.value,
            "fault": self.fault_text,
            "note": self.note,
            "cpu_seconds_per_handshake": self.per_handshake,
            "cpu_seconds_per_record": self.per_record,
            "cpu_seconds_per_megabyte": self.per_megabyte,
            "bytes_per_event": self.bytes_per_event,
        }


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and their extremes."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """Return the spread of ``values``, None if there are none."""
        return cls(median(values), min(values), max(values)) if values else None


@dataclass(frozen=True)
class Summary:
    """One peer over all rounds; the spread of an unknown metric is None.

    ``ratio``: CPU per MB, divided by that of the reference in the same round; ``handshake_ratio``:
    the same of CPU per handshake.  ``remarks``: the faults and notes of the measurements, each
    once.
    """

    peer: str
    per_handshake: Spread | None
    per_record: Spread | None
    per_megabyte: Spread | None
    ratio: Spread | None
    handshake_ratio: Spread | None
    bytes_per_event: Spread | None
    remarks: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        return asdict(self)


def summaries(measurements: Sequence[Measurement], references: Mapping[str, str]) -> list[Summary]:
    """Summarise each peer, in the order in which they were first measured.

    ``references``: the name of the peer that each peer is compared with.  The median is over the
    valid measurements of a peer, or over all of them if none is valid.
    """
    valid = {(each.peer, each.round): each for each in measurements if each.invalid is None}
    summed = []
    for name in dict.fromkeys(each.peer for each in measurements):
        every = [each for each in measurements if each.peer == name]
        pairs = [
            (each, valid.get((references.get(name, ""), each.round)))
            for each in ([each for each in every if each.invalid is None] or every)
        ]
        summed.append(_summary(name, every, pairs))
    return summed


def _summary(
    name: str,
    every: Sequence[Measurement],
    pairs: Sequence[tuple[Measurement, Measurement | None]],
) -> Summary:
    def spread(metric: Callable[[Measurement], float | None]) -> Spread | None:
        values = [metric(each) for each, _ in pairs]
        return Spread.of([value for value in values if value is not None])

    def ratio(metric: Callable[[Measurement], float | None]) -> Spread | None:
        both = [(metric(each), metric(other)) for each, other in pairs if other is not None]
        return Spread.of([value / base for value, base in both if value and base])

    remarks = [remark for each in every for remark in (each.fault_text, each.note) if remark]
    return Summary(
        peer=name,
        per_handshake=spread(lambda each: each.per_handshake),
        per_record=spread(lambda each: each.per_record),
        per_megabyte=spread(lambda each: each.per_megabyte),
        ratio=ratio(lambda each: each.per_megabyte),
        handshake_ratio=ratio(lambda each: each.per_handshake),
        bytes_per_event=spread(lambda each: each.bytes_per_event),
        remarks=list(dict.fromkeys(remarks)),
    )
