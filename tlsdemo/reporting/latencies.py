"""Latencies as HdrHistograms, which several processes record and one adds up without loss.

The histograms are those of the package ``hdrhistogram``, of the extra ``tlsdemo[load]``.  Without
it nothing is recorded, and `CAN_MEASURE` is false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

try:
    from hdrh.histogram import HdrHistogram
except ImportError:
    HdrHistogram = None

CAN_MEASURE = HdrHistogram is not None
"""Whether latencies are recorded."""

LEAST, MOST, DIGITS = 1, 3_600_000_000, 3
"""The bounds of every histogram in µs, and its significant digits: errors are below 0.1 %."""

CONNECT = "connect"
UPGRADE = "upgrade"
HANDSHAKE = "handshake"
CONFIRMED = "confirmed"
FIRST_BYTE = "first byte"
ROUND_TRIP = "round trip"
WRITE = "write"
LAG = "lag"

NAMES = (CONNECT, UPGRADE, HANDSHAKE, CONFIRMED, FIRST_BYTE, ROUND_TRIP, WRITE)
"""What is measured of the server, in the order of a connection; `LAG` is the generator's own.

Attributes:
    CONNECT: From when the connection was due until TCP is established.
    UPGRADE: From then until TLS starts: the negotiation in plaintext.
    HANDSHAKE: From when the ClientHello was written until the connection is secure, and our
        Finished written.
    CONFIRMED: From when the connection was due until the server has proved that it accepted us.
    FIRST_BYTE: From when the connection was due until the first byte of cleartext.
    ROUND_TRIP: From when a message was due until its answer has been verified.
    WRITE: From when a packet was due until flow control let it be written.
    LAG: How late the worker's reactor was.
"""

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True)
class Percentiles:
    """The distribution of one latency, in seconds; ``count`` is the number of values."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


class Latencies:
    """Histograms by name.

    A name may have a kind after a slash, such as ``handshake/X25519``: the name alone stands for
    all of its kinds.
    """

    def __init__(self) -> None:
        self._histograms: dict[str, Any] = {}

    def record(self, name: str, seconds: float) -> None:
        """Record a value; one below 1 µs counts as 1 µs, one above an hour as an hour."""
        if histogram := self._histogram(name):
            histogram.record_value(_microseconds(seconds))

    def record_stall(self, name: str, seconds: float, period: float) -> None:
        """Record a delay in a series of calls every ``period``, and those that it delayed."""
        if histogram := self._histogram(name):
            histogram.record_corrected_value(_microseconds(seconds), _microseconds(period))

    def _histogram(self, name: str) -> Any:
        if not CAN_MEASURE:
            return None
        histogram = self._histograms.get(name)
        if histogram is None:
            histogram = self._histograms[name] = HdrHistogram(LEAST, MOST, DIGITS)
        return histogram

    def add(self, other: Latencies) -> None:
        """Add all values of ``other``."""
        for name, histogram in other._histograms.items():
            self._histogram(name).add(histogram)

    @classmethod
    def total(cls, several: Iterable[Latencies]) -> Latencies:
        """Return the sum of several."""
        total = cls()
        for each in several:
            total.add(each)
        return total

    def kinds(self, name: str) -> list[str]:
        """Return the kinds of ``name`` that have been recorded, without the name."""
        return sorted(
            each.partition("/")[2] for each in self._histograms if each.startswith(f"{name}/")
        )

    def histogram(self, name: str) -> Any:
        """Return the HdrHistogram of a name, of all its kinds; ``None`` if there is no value."""
        found = [
            histogram
            for each, histogram in self._histograms.items()
            if each == name or each.partition("/")[0] == name
        ]
        if len(found) > 1:
            total = HdrHistogram(LEAST, MOST, DIGITS)
            for each in found:
                total.add(each)
            return total
        return found[0] if found else None

    def count(self, name: str) -> int:
        """Return the number of values."""
        histogram = self.histogram(name)
        return 0 if histogram is None else int(histogram.get_total_count())

    def at(self, name: str, percentile: float) -> float | None:
        """Return the value in seconds at a percentile from 0 to 100; ``None`` without values."""
        histogram = self.histogram(name)
        if histogram is None:
            return None
        return float(histogram.get_value_at_percentile(percentile)) / 1e6

    def values_at(self, name: str, percentiles: Sequence[float]) -> list[float]:
        """Return the values in seconds at several percentiles, in one pass; there must be some."""
        found = self.histogram(name).get_percentile_to_value_dict(list(percentiles))
        return [found[each] / 1e6 for each in percentiles]

    def mean(self, name: str) -> float | None:
        """Return the mean in seconds; ``None`` without values."""
        histogram = self.histogram(name)
        return None if histogram is None else _mean(histogram) / 1e6

    def percentiles(self, name: str) -> Percentiles | None:
        """Return the distribution; ``None`` without values."""
        histogram = self.histogram(name)
        if histogram is None or not histogram.get_total_count():
            return None
        # In one pass: this is done each second for the live view.
        at = histogram.get_percentile_to_value_dict(list(PERCENTILES))
        p50, p90, p99, p999 = (at[each] / 1e6 for each in PERCENTILES)
        count, mean = int(histogram.get_total_count()), _mean(histogram) / 1e6
        return Percentiles(count, mean, p50, p90, p99, p999, histogram.get_max_value() / 1e6)

    def as_json(self) -> dict[str, str]:
        """Return the histograms in HdrHistogram's compressed format, in base64."""
        return {
            name: histogram.encode().decode("ascii")
            for name, histogram in sorted(self._histograms.items())
        }

    @classmethod
    def from_json(cls, values: Mapping[str, str]) -> Latencies:
        """Read the result of :meth:`as_json`."""
        latencies = cls()
        for name, encoded in values.items():
            latencies._histogram(name).decode_and_add(encoded)
        return latencies

    def summary_as_json(self) -> dict[str, Any]:
        """Return the distribution of each name and kind, in seconds."""
        names = {name for each in self._histograms for name in (each, each.partition("/")[0])}
        found = {name: self.percentiles(name) for name in sorted(names)}
        return {name: each.as_json() for name, each in found.items() if each is not None}


def _mean(histogram: Any) -> float:
    """Return what the library's ``get_mean_value`` does, which takes 20 times as long."""
    total = 0
    for index, count in enumerate(histogram.counts[:]):
        if count:
            value = histogram.get_value_from_index(index)
            least = histogram.get_lowest_equivalent_value(value)
            total += count * ((least + histogram.get_highest_equivalent_value(value) + 1) // 2)
    measured = histogram.get_total_count()
    return total / measured if measured else 0.0


def _microseconds(seconds: float) -> int:
    return min(MOST, max(LEAST, round(seconds * 1e6)))
