"""Waiting for a condition on a reactor: until it holds, for so long, or while something moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

Condition = Callable[[], bool]


class ConditionWait:
    """One coroutine waits at a time; `check` is called whenever the condition may hold."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._waiting: tuple[Condition, Deferred[None]] | None = None

    def check(self) -> None:
        """Go on, if what is waited for holds."""
        if self._waiting is not None and self._waiting[0]():
            (_, deferred), self._waiting = self._waiting, None
            deferred.callback(None)

    async def until(self, condition: Condition) -> None:
        """Wait until ``condition`` holds."""
        if not condition():
            deferred: Deferred[None] = Deferred()
            self._waiting = (condition, deferred)
            await deferred

    async def until_or_after(self, condition: Condition, seconds: float) -> None:
        """Wait until ``condition`` holds, but only for so many seconds."""
        end = self._reactor.seconds() + seconds
        timer = self._reactor.callLater(max(0.0, seconds), self.check)
        await self.until(lambda: self._reactor.seconds() >= end or condition())
        if timer.active():
            timer.cancel()

    async def until_or_still(
        self, condition: Condition, moved_at: Callable[[], float], within: float | None
    ) -> bool:
        """Wait until ``condition`` holds; return whether it does.

        It is given up when nothing has moved for ``within`` seconds, if that is not ``None``.
        ``moved_at`` returns when something has moved last.
        """
        if within is None:
            await self.until(condition)
        while not condition():
            assert within is not None
            left = moved_at() + within - self._reactor.seconds()
            if left <= 0:
                return False
            await self.until_or_after(condition, left)
        return True
