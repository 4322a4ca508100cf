"""Records of connections by client address, for the queries of load clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass


@dataclass
class ConnectionRecord:
    """The record of one connection.

    Attributes:
        received: Returns the bytes of cleartext received so arriving.
        open: Whether the connection is open.
        failed: Whether it has ended with an error.
        backend: Our own address towards the embedded sink, if there is one: the client address of
            the sink's record.
    """

    received: Callable[[], int]
    open: bool = True
    failed: bool = False
    backend: str | None = None

    def close(self, failed: bool) -> None:
        """Note the end, and keep the number of bytes instead of a reference to the connection."""
        received = self.received()
        self.received = lambda: received
        self.open = False
        self.failed = failed


@dataclass(frozen=True)
class ConnectionTotals:
    """The totals of several connections.

    Attributes:
        received: Bytes of cleartext that were received.
        arrived: Bytes of these that the embedded sink has received; all of them if there is none.
        open: Connections that are open, or whose data has not all arrived.
        failed: Connections that have ended with an error.
        unknown: Addresses without a record.
    """

    received: int = 0
    arrived: int = 0
    open: int = 0
    failed: int = 0
    unknown: int = 0

    def __add__(self, other: ConnectionTotals) -> ConnectionTotals:
        """Return the totals of the connections of both."""
        return ConnectionTotals(*map(sum, zip(astuple(self), astuple(other), strict=True)))


class ConnectionRegistry:
    """Records by client address; beyond ``limit``, the oldest is forgotten."""

    def __init__(self, limit: int = 1 << 16) -> None:
        self._limit = limit
        self._records: dict[str, ConnectionRecord] = {}

    def __len__(self) -> int:
        return len(self._records)

    def open(self, address: str, received: Callable[[], int]) -> ConnectionRecord:
        """Begin a record, in place of an earlier one of the same address."""
        self._records.pop(address, None)
        record = self._records[address] = ConnectionRecord(received)
        if len(self._records) > self._limit:
            del self._records[next(iter(self._records))]
        return record

    def get(self, address: str) -> ConnectionRecord | None:
        """Return the newest record of ``address``."""
        return self._records.get(address)

    def totals(self, addresses: Iterable[str], sink: ConnectionRegistry | None) -> ConnectionTotals:
        """Add up the records of ``addresses``, and those of ``sink`` that belong to them."""
        received = arrived = still_open = failed = unknown = 0
        for address in addresses:
            record = self.get(address)
            if record is None:
                unknown += 1
                continue
            received += record.received()
            still_open += record.open
            failed += record.failed
            arriving = record
            if sink is not None:
                if record.backend is None:
                    continue
                found = sink.get(record.backend)
                if found is None:
                    # The sink has not accepted it yet: its data is in the backlog.
                    still_open += not record.open and not record.failed
                    continue
                arriving = found
                still_open += found.open and not record.open
            arrived += arriving.received()
        return ConnectionTotals(received, arrived, still_open, failed, unknown)
