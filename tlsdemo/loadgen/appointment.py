"""When a shard begins: at a time that all shards have agreed on, by the clock of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Appointment:
    """The start and the windows of a shard.

    ``start_at`` is in seconds since the epoch, or ``None`` for at once; with ``on_ready`` it is
    agreed on later: that is called when the shard could begin, and `agree` then.  ``offsets`` are
    when the windows may begin, in seconds from the start; others begin at once.  ``now`` returns
    the time.

    Attributes:
        agreed: Whether the start is known.
        started: When it has begun to open connections; ``None`` before.
        windows: When each window has begun.
    """

    def __init__(
        self,
        start_at: float | None,
        offsets: Sequence[float],
        now: Callable[[], float],
        on_ready: Callable[[], object] | None = None,
    ) -> None:
        self.start_at = start_at
        self.agreed = on_ready is None
        self._on_ready = on_ready
        self._offsets = offsets
        self._now = now
        self.started: float | None = None
        self.windows: list[float] = []

    def ready(self) -> None:
        """Say that the shard could begin, to whom it may concern."""
        if self._on_ready is not None:
            self._on_ready()

    def agree(self, start_at: float) -> None:
        """Set the start."""
        self.start_at, self.agreed = start_at, True

    def until_start(self) -> float:
        """Return the seconds until the start; 0 if it has passed."""
        return 0.0 if self.start_at is None else max(0.0, self.start_at - self._now())

    def start(self) -> None:
        """Note that it has begun."""
        self.started = self._now()

    def until_window(self, number: int) -> float:
        """Return the seconds until a window, from 1, may begin; 0 if it is late."""
        start = self.started if self.start_at is None else self.start_at
        if start is None or number > len(self._offsets):
            return 0.0
        return max(0.0, start + self._offsets[number - 1] - self._now())

    def begin_window(self) -> None:
        """Note that a window has begun."""
        self.windows.append(self._now())
