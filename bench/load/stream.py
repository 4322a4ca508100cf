"""Sending what was encrypted before: as fast as the peer reads, in bursts, or at a rate."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence

from bench.child import CannotMeasure
from bench.load.connection import Connection

_CHUNK = 1 << 18
_POLL = 0.001


def blast(prepared: Sequence[tuple[Connection, bytes]], deadline: float) -> None:
    """Send everything, on all connections at once, as fast as the kernel takes it.

    ``deadline``: of time.monotonic(), after which CannotMeasure is raised.
    """
    rest = {connection.fileno(): (connection, memoryview(data)) for connection, data in prepared}
    with select.epoll() as epoll:
        for number in rest:
            epoll.register(number, select.EPOLLOUT)
        while rest:
            ready = epoll.poll(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise CannotMeasure(f"{len(rest):,} connections do not read")
            for number, _ in ready:
                connection, data = rest[number]
                data = data[_sent(connection, data[:_CHUNK]) :]
                if data:
                    rest[number] = connection, data
                else:
                    epoll.unregister(number)
                    del rest[number]


def _sent(connection: Connection, data: memoryview) -> int:
    try:
        return connection.socket.send(data)
    except BlockingIOError:
        return 0
    except OSError as error:
        raise CannotMeasure(f"sending failed: {error}") from None


class Bursts:
    """Sends prepared records in bursts, in turn on every connection.

    ``burst``: the records of one burst.  ``records``: those prepared on each connection.  ``size``:
    the bytes of cleartext in a record.  ``deadline``: of time.monotonic(), after which
    CannotMeasure is raised.
    """

    def __init__(
        self,
        prepared: Sequence[tuple[Connection, bytes]],
        burst: int,
        records: int,
        size: int,
        deadline: float,
    ) -> None:
        self._turn = [(connection, memoryview(data)) for connection, data in prepared]
        wire = len(prepared[0][1]) // records
        self._wire, self._cleartext = wire * burst, size * burst
        self._deadline = deadline
        self._next = 0
        self._offset = 0
        self.sent = 0

    @property
    def exhausted(self) -> bool:
        """Whether everything has been sent."""
        return self._offset >= len(self._turn[0][1])

    def send(self) -> None:
        """Send the next burst."""
        connection, data = self._turn[self._next]
        burst = data[self._offset : self._offset + self._wire]
        # The rest of a burst has to go, or the next would break the record.
        while burst:
            sent = _sent(connection, burst)
            if not sent:
                self._check_deadline()
                # Not select(2), which takes no descriptor beyond 1023.
                time.sleep(_POLL)
            burst = burst[sent:]
        self.sent += self._cleartext
        self._next += 1
        if self._next == len(self._turn):
            self._next = 0
            self._offset += self._wire

    def _check_deadline(self) -> None:
        if time.monotonic() > self._deadline:
            raise CannotMeasure(f"the peer reads no more, after {self.sent:,} bytes")

    def keep_waiting(
        self, window: int, arrived: Callable[[], int], until: Callable[[], bool]
    ) -> None:
        """Keep ``window`` bursts on their way, until ``until()`` or all is sent.

        ``arrived`` returns how many bytes of cleartext have come out of the proxy.
        """
        most = window * self._cleartext
        while not self.exhausted and not until():
            self._check_deadline()
            room = (most - (self.sent - arrived())) // self._cleartext
            for _ in range(room):
                if self.exhausted:
                    return
                self.send()
            if room <= 0:
                time.sleep(_POLL)

    def keep_rate(self, rate: float, seconds: float) -> None:
        """Send so many bytes of cleartext a second, for so long; late bursts are made up for."""
        began = time.monotonic()
        while not self.exhausted:
            now = time.monotonic()
            if now - began > seconds:
                return
            due = int((now - began) * rate) - self.sent
            for _ in range(due // self._cleartext):
                if self.exhausted:
                    return
                self.send()
            time.sleep(_POLL)
