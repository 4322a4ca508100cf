"""What came of the measurements, and what can be told from them; no I/O here."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

MEGABYTE = 1_000_000

_MOST_OF_A_RECORD = 1 << 14  # RFC 8446, section 5.1


class Trouble(enum.Enum):
    """Why a measurement does not count."""

    NOT_HERE = "not here"
    NOT_STARTED = "not started"
    NOT_DONE = "not done"
    NOT_SECURED = "not secured"
    NOT_SENT = "not sent"
    NOT_ARRIVED = "not arrived"


@dataclass(frozen=True)
class Measurement:
    """One proxy under the load once.

    ``connections`` were to send ``packets_each``; what came of it at the client's end are
    ``secured``, ``failed`` (by cause), ``packets`` and ``sent`` (bytes).  ``cpu_securing`` and
    ``cpu_sending``: CPU seconds of the proxy until all connections were secured, and from then on
    until all was drained and closed.  ``seconds_securing`` and ``seconds_sending``: by the clock.
    ``arrived``: bytes that the sink got.  ``events``: how often the proxy's application was handed
    bytes, where it tells.  ``broken``: why there are no figures, or none to be trusted, and
    ``problem``: the same in one line.
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
    broken: Trouble | None = None
    problem: str | None = None

    @property
    def trouble(self) -> Trouble | None:
        """What keeps this from being a good measurement, ``None`` if nothing does."""
        if self.broken is not None:
            return self.broken
        if self.secured != self.connections:
            return Trouble.NOT_SECURED
        if self.sent != self.connections * self.packets_each * self.packet_size:
            return Trouble.NOT_SENT
        if self.arrived != self.sent:
            return Trouble.NOT_ARRIVED
        return None

    @property
    def fault(self) -> str | None:
        """The trouble in one line."""
        match self.trouble:
            case None:
                return None
            case Trouble.NOT_SECURED:
                what = f"{self.secured} of {self.connections} connections were secured"
            case Trouble.NOT_SENT:
                what = f"only {self.sent:,} bytes could be sent"
            case Trouble.NOT_ARRIVED:
                what = f"sent {self.sent:,} bytes, and {self.arrived:,} arrived"
            case _:
                return self.problem
        return f"{what}; {self._failures}"

    @property
    def note(self) -> str | None:
        """What else is worth knowing: every byte arrived, but not every end was in order."""
        return self._failures if self.failed and self.trouble is None else None

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
        """TLSStream bytes that an event brought the proxy's application."""
        return self.sent / self.events if self.events else None

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can carry."""
        return {
            **asdict(self),
            "failed": dict(self.failed),
            "broken": None if self.broken is None else self.broken.value,
            "fault": self.fault,
            "note": self.note,
            "cpu_seconds_per_handshake": self.per_handshake,
            "cpu_seconds_per_record": self.per_record,
            "cpu_seconds_per_megabyte": self.per_megabyte,
            "bytes_per_event": self.bytes_per_event,
        }


@dataclass(frozen=True)
class Spread:
    """What several rounds found: the median, and how far they lie apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """Sum up ``values``; ``None`` if there are none."""
        return cls(median(values), min(values), max(values)) if values else None


@dataclass(frozen=True)
class Summary:
    """One peer over all rounds; of a figure that is not known the spread is ``None``.

    ``ratio``: CPU per MB over that of the reference in the same round.  ``remarks``: what was
    wrong with measurements, or is worth knowing, each once.
    """

    peer: str
    per_handshake: Spread | None
    per_record: Spread | None
    per_megabyte: Spread | None
    ratio: Spread | None
    bytes_per_event: Spread | None
    remarks: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can carry."""
        return asdict(self)


def summaries(measurements: Sequence[Measurement], reference: str) -> list[Summary]:
    """Sum up each peer, in the order in which they were first measured.

    The median is over the good measurements of a peer; if none is good, over what there is.
    """
    by_round = {
        each.round: each.per_megabyte
        for each in measurements
        if each.peer == reference and each.trouble is None
    }
    return [
        _summary(name, [each for each in measurements if each.peer == name], by_round)
        for name in dict.fromkeys(each.peer for each in measurements)
    ]


def _summary(
    name: str, every: Sequence[Measurement], references: Mapping[int, float | None]
) -> Summary:
    good = [each for each in every if each.trouble is None] or every

    def spread(figure: Callable[[Measurement], float | None]) -> Spread | None:
        values = [figure(each) for each in good]
        return Spread.of([value for value in values if value is not None])

    def ratio(each: Measurement) -> float | None:
        other = references.get(each.round)
        return each.per_megabyte / other if each.per_megabyte and other else None

    return Summary(
        peer=name,
        per_handshake=spread(lambda each: each.per_handshake),
        per_record=spread(lambda each: each.per_record),
        per_megabyte=spread(lambda each: each.per_megabyte),
        ratio=spread(ratio),
        bytes_per_event=spread(lambda each: each.bytes_per_event),
        remarks=list(
            dict.fromkeys(remark for each in every for remark in (each.fault, each.note) if remark)
        ),
    )
