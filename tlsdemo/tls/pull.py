"""Delivery on demand: the application is told that there is something, and takes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol as Interface

from twisted.internet.interfaces import IProtocol


class PullApplication(Interface):
    """What an application must also have to be delivered to on demand."""

    def readable(self, source: PullSource) -> None:
        """There is something to read.

        Not called again until :meth:`PullSource.read` has returned ``b""``; so read until then,
        or remember that there is more and go on when there is room for it.
        """


def _tell_nobody(_source: object) -> None:
    """Tell nobody: there is no application yet, or no more."""


class PullStream(Interface):
    """The stream that fills a :class:`PullSource`, as far as that knows it."""

    def pauseProducing(self) -> None:
        """Deliver nothing more."""

    def resumeProducing(self) -> None:
        """Deliver again."""

    def take(self, data: bytes) -> None:
        """Count ``data``, which the application has taken."""


class PullSource:
    """Cleartext that waits to be taken, at most ``high_water`` bytes and one delivery more.

    Once ``high_water`` is reached the wire is paused, and it is resumed when half of it is left.
    The end of the stream waits until everything before it has been taken.
    """

    def __init__(self, stream: PullStream, high_water: int) -> None:
        self._stream = stream
        self._high_water = high_water
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._told = False
        self._paused = False
        self._at_end: Callable[[], None] | None = None
        self._tell: Callable[[PullSource], object] = _tell_nobody

    def __len__(self) -> int:
        return self._size

    def attach(self, application: IProtocol) -> None:
        """Tell ``application`` from now on; raises TypeError if it has no ``readable``."""
        tell = getattr(application, "readable", None)
        if not callable(tell):
            raise TypeError(
                f"delivery 'readable' needs an application with a readable(source) method, "
                f"and {type(application).__name__} has none"
            )
        self._tell = tell

    def feed(self, data: bytes) -> None:
        """Add what has been decrypted, and tell the application unless it knows."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size >= self._high_water and not self._paused:
            self._paused = True
            self._stream.pauseProducing()
        if not self._told:
            self._told = True
            self._tell(self)

    def read(self, size: int | None = None) -> bytes:
        """Take up to ``size`` bytes, or all; ``b""`` if there is nothing (any more)."""
        data = self._take(size)
        if not data:
            # Asked for nothing, it says nothing about whether there is more.
            if not self._size:
                self._told = False
                self._finish()
            return data
        self._stream.take(data)
        if self._paused and self._size <= self._high_water // 2:
            self._paused = False
            # What this brings is not told of: who reads has not seen b"" yet.
            self._stream.resumeProducing()
        return data

    def _take(self, size: int | None) -> bytes:
        if size is None or size >= self._size:
            data = b"".join(self._chunks)
            self._chunks.clear()
        else:
            pieces = []
            wanted = size
            while wanted:
                piece = self._chunks.popleft()
                if len(piece) > wanted:
                    self._chunks.appendleft(piece[wanted:])
                    piece = piece[:wanted]
                wanted -= len(piece)
                pieces.append(piece)
            data = b"".join(pieces)
        self._size -= len(data)
        return data

    def end(self, at_end: Callable[[], None]) -> None:
        """Call ``at_end`` once the application has seen that nothing is left: now, if it has.

        Not as soon as the last bytes have been taken: who took them has yet to pass them on.
        """
        self._at_end = at_end
        if not self._told:
            self._finish()

    def _finish(self) -> None:
        if self._at_end is not None:
            at_end, self._at_end = self._at_end, None
            self._tell = _tell_nobody
            at_end()

    def drop(self) -> None:
        """Throw away what has not been taken; an end that waited for it waits no longer."""
        self._chunks.clear()
        self._size = 0
        self._told = False
        self._finish()
