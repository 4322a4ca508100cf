"""What came of each connection, by the address of its client: so a client can ask afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass
class ConnectionRecord:
    """One connection.  ``received`` is asked for when it is needed, as it grows while it is open.

    ``backend``: our own address towards the backend, where there is one; it is how the entry of
    the sink's end is found.
    """

    received: Callable[[], int]
    open: bool = True
    failed: bool = False
    backend: str | None = None

    def close(self, failed: bool) -> None:
        """Note that nothing more will come, and keep the number instead of who knows it."""
        received = self.received()
        self.received = lambda: received
        self.open = False
        self.failed = failed


@dataclass(frozen=True)
class Account:
    """What is known of a number of connections together, in bytes and connections.

    ``received``: what came out of TLS here.  ``arrived``: what the sink got of it, or where there
    is no embedded sink what went to backends (or was taken here).  ``unknown``: addresses that no
    connection came from.
    """

    received: int = 0
    arrived: int = 0
    open: int = 0
    failed: int = 0
    unknown: int = 0


class ConnectionRegistry:
    """Entries by client address, at most ``limit`` of them: the oldest goes first."""

    def __init__(self, limit: int = 1 << 16) -> None:
        self._limit = limit
        self._entries: dict[str, ConnectionRecord] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def open(self, address: str, received: Callable[[], int]) -> ConnectionRecord:
        """Begin an entry; one of the same address before it is forgotten."""
        self._entries.pop(address, None)
        record = self._entries[address] = ConnectionRecord(received)
        if len(self._entries) > self._limit:
            del self._entries[next(iter(self._entries))]
        return record

    def get(self, address: str) -> ConnectionRecord | None:
        """Return the newest entry of ``address``."""
        return self._entries.get(address)

    def account(self, addresses: Iterable[str], sink: ConnectionRegistry | None) -> Account:
        """Add up what is known of the connections that came from ``addresses``."""
        received = arrived = still_open = failed = unknown = 0
        for address in addresses:
            record = self.get(address)
            if record is None:
                unknown += 1
                continue
            received += record.received()
            still_open += record.open
            failed += record.failed
            far = record
            if sink is not None:
                if record.backend is None:
                    continue
                found = sink.get(record.backend)
                if found is None:
                    # It waits in the backlog, and what has been sent to it with it.
                    still_open += not record.open and not record.failed
                    continue
                far = found
                still_open += found.open and not record.open
            arrived += far.received()
        return Account(received, arrived, still_open, failed, unknown)
