"""Several loads, one after the other: repeated, and on several servers in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from tlsdemo.loadgen.load_service import Load
from tlsdemo.reporting.run_result import RunResult

_T = TypeVar("_T")


class LoadSeries(Generic[_T]):
    """Puts a load on a server for each of ``turns``, for which ``make`` makes a controller.

    It ends early when it is stopped, or with a load of which no connection was secured.
    """

    def __init__(self, turns: Sequence[_T], make: Callable[[_T], Load]) -> None:
        self._turns = turns
        self._make = make
        self._current: Load | None = None
        self._stopped = False

    async def run(self) -> list[tuple[_T, RunResult]]:
        """Run the loads; return the result of each that was begun, with its turn."""
        results: list[tuple[_T, RunResult]] = []
        for turn in self._turns:
            if self._stopped:
                break
            self._current = self._make(turn)
            result = await self._current.run()
            results.append((turn, result))
            if result.hopeless:
                break
        return results

    def stop(self) -> None:
        """End the load that runs, and begin no other."""
        self._stopped = True
        if self._current is not None:
            self._current.stop()

    def abort(self) -> None:
        """End the load that runs without waiting for its server, and begin no other."""
        self._stopped = True
        if self._current is not None:
            self._current.abort()
