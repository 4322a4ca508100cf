"""Delivery on demand: the application is notified of data, and reads it when it wants."""

from __future__ import annotations

import typing
from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IProtocol


class PullApplication(typing.Protocol):
    """The method that an application needs for ``Delivery.READABLE``."""

    def readable(self, source: PullSource) -> None:
        """There is data to read from ``source``.

        This is not called again until :meth:`PullSource.read` has returned ``b""``.  So read until
        then, or remember ``source`` and continue later.
        """


def _ignore(_source: object) -> None:
    """Notify nobody: there is no application yet, or no longer."""


class PullStream(typing.Protocol):
    """The stream that fills a :class:`PullSource`."""

    def pauseProducing(self) -> None:
        """Stop delivering."""

    def resumeProducing(self) -> None:
        """Resume delivering."""

    def take(self, data: bytes) -> None:
        """Count ``data``, which the application has read."""


class PullSource:
    """A buffer of cleartext that the application has not read yet.

    The wire is paused once the buffer holds ``high_water`` bytes, and resumed when half of them
    are left; so the buffer holds at most ``high_water`` bytes and one delivery more.  The end of
    the stream is reported once everything before it has been read.
    """

    def __init__(self, stream: PullStream, high_water: int) -> None:
        self._stream = stream
        self._high_water = high_water
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._notified = False
        self._paused = False
        self._at_end: Callable[[], None] | None = None
        self._when_read: Callable[[], object] | None = None
        self._notify: Callable[[PullSource], object] = _ignore

    def __len__(self) -> int:
        return self._size

    def attach(self, application: IProtocol) -> None:
        """Notify ``application`` from now on.

        Raises:
            TypeError: If it has no ``readable`` method.
        """
        readable = getattr(application, "readable", None)
        if not callable(readable):
            raise TypeError(
                f"delivery 'readable' needs an application with a readable(source) method, "
                f"and {type(application).__name__} has none"
            )
        self._notify = readable

    def feed(self, data: bytes) -> None:
        """Add ``data``, and notify the application unless it has been notified already."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size >= self._high_water and not self._paused:
            self._paused = True
            self._stream.pauseProducing()
        if not self._notified:
            self._notified = True
            self._notify(self)

    def read(self, size: int | None = None) -> bytes:
        """Return up to ``size`` bytes, by default all; ``b""`` if there is nothing left."""
        data = self._take(size)
        if not data:
            # read(0) returns b"" too, whether or not there is more.
            if not self._size:
                self._notified = False
                self._finish()
            return data
        self._stream.take(data)
        if self._paused and self._size <= self._high_water // 2:
            self._paused = False
            # Data that arrives within this call needs no notification: b"" has not been returned.
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

    def when_read(self, call: Callable[[], object]) -> None:
        """Call ``call`` once everything up to now has been read: now, if it has."""
        self._when_read = call
        if not self._notified:
            self._finish()

    def end(self, at_end: Callable[[], None]) -> None:
        """Call ``at_end`` once :meth:`read` has returned ``b""``: now, if it has.

        Not as soon as the last bytes have been read: the application still has to handle them.
        """
        self._at_end = at_end
        if not self._notified:
            self._finish()

    def _finish(self) -> None:
        when_read, self._when_read = self._when_read, None
        if when_read is not None:
            when_read()
        if self._at_end is not None:
            at_end, self._at_end = self._at_end, None
            self._notify = _ignore
            at_end()

    def drop(self) -> None:
        """Discard what has not been read, and report an end that waited for it.

        What :meth:`when_read` waits for never happens.
        """
        self._when_read = None
        self._chunks.clear()
        self._size = 0
        self._notified = False
        self._finish()
