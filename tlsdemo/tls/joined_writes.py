"""Joining the small writes of one turn of the reactor into full records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from tlsdemo.tls.openssl_io import MAX_RECORD

MAX_JOINED = 4 * MAX_RECORD
"""Bytes that are kept at most until the reactor's next turn; full records are sent as soon as there
are that many."""


class JoinedWrites:
    """Keeps what is written until the reactor's next turn, and sends it in one piece.

    ``send`` is called with some bytes, and how many of the first of them to send.  That is all
    that was written, in the reactor's next turn or in :meth:`flush`; or as many full records as
    there are, once there are :data:`MAX_JOINED` bytes.

    Most writes only append to a list, and compare one number with 0: how many bytes may still
    come until there is more to do.  That number is 0 in the beginning of a turn too, so that its
    first write schedules the sending.
    """

    __slots__ = ("_clock", "_limit", "_pieces", "_room", "_scheduled", "_send", "_sent")

    def __init__(self, send: Callable[[bytes, int], object], clock: IReactorTime) -> None:
        self._send: Callable[[bytes, int], object] | None = send
        self._clock = clock
        self._scheduled: IDelayedCall | None = None
        self._pieces: list[bytes] = []
        self._limit = 0
        self._room = 0
        self._sent = 0

    @property
    def total(self) -> int:
        """Bytes that have been written so far."""
        return self._sent + self._limit - self._room

    def write(self, data: Any) -> None:
        """Keep ``data``, or a copy if it can change, until it is sent; drop it once closed."""
        if data.__class__ is not bytes:
            data = bytes(memoryview(data))
        self._pieces.append(data)
        self._room -= len(data)
        if self._room <= 0:
            self._attend()

    def flush(self) -> None:
        """Send now what has been written."""
        if self._pieces:
            data = b"".join(self._pieces)
            self._keep(b"", len(data))
            self._transmit(data, len(data))

    def close(self) -> None:
        """Drop what has not been sent, and what will be written."""
        self._sent = self.total
        self._send = None
        self._keep(b"", 0)
        scheduled, self._scheduled = self._scheduled, None
        if scheduled is not None:
            scheduled.cancel()

    def _attend(self) -> None:
        """Send the full records if there are enough, and see to it that the rest will be sent."""
        if self._send is None:
            self._keep(b"", 0)
            return
        size = self._limit - self._room
        if size >= MAX_JOINED:
            data = b"".join(self._pieces)
            full = size - size % MAX_RECORD
            self._keep(data[full:], full)
            self._transmit(data, full)
        elif size:
            self._expect(size)
        else:
            self._pieces.clear()

    def _keep(self, rest: bytes, sent: int) -> None:
        """Begin anew, with ``rest``."""
        self._sent += sent
        self._pieces = []
        self._limit = self._room = 0
        if rest:
            self._pieces.append(rest)
            self._expect(len(rest))

    def _expect(self, size: int) -> None:
        """Have the ``size`` bytes that are kept, and what comes until then, sent next turn."""
        self._limit = MAX_JOINED
        self._room = MAX_JOINED - size
        if self._scheduled is None:
            self._scheduled = self._clock.callLater(0, self._next_turn)

    def _next_turn(self) -> None:
        self._scheduled = None
        self.flush()

    def _transmit(self, data: bytes, size: int) -> None:
        assert self._send is not None
        self._send(data, size)
