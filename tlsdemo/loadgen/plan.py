"""The plan of a load: which window follows which; no I/O.

A plan is a generator.  It yields windows, is sent the result of each, and ends when it has seen
enough.  So a search for the greatest rate is a plan like any other, and is tested with a server of
which the answers are computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from tlsdemo.loadgen.arrivals import Window
from tlsdemo.reporting.window_result import WindowResult

Plan = Generator[Window, WindowResult, float | None]
"""Yields windows, and is sent their results.

Returns the greatest rate that holds, 0 if none does, and ``None`` if that was not searched for.
"""

GROWTH = 2.0
"""By which the rate is multiplied until it does not hold."""

PRECISION = 0.02
"""The search ends when the rate that holds and the one that does not differ by this share."""

CONFIRM_FOR = 2.0
"""The length of the window that confirms the rate, in those of the search."""

STEP_BACK = 0.98
"""By which a rate is multiplied that was not confirmed."""

MOST_WINDOWS = 60
"""A search that has found nothing by then ends."""

LEAST_RATE = 0.1
"""Units per second below which no rate is tried."""


def steps(rates: Sequence[float], first: Window) -> Plan:
    """Yield a window for each rate; only the first has a ramp and a warm-up of its own.

    ``rates`` may be ``[0.0]``, for a closed loop.
    """
    for number, rate in enumerate(rates, 1):
        ramp = first.ramp if number == 1 else 0.0
        yield replace(first, number=number, rate=rate, ramp=ramp)
    return None


def steps_of(windows: Sequence[Window]) -> Plan:
    """Yield these windows."""
    # "yield from" would send the results to an iterator, which takes none.
    for window in windows:  # noqa: UP028
        yield window
    return None


def find_max(holds: Callable[[WindowResult], bool], start: float, first: Window) -> Plan:
    """Search the greatest rate at which ``holds`` is true of the result.

    The rate grows from ``start`` until it does not hold, then the greatest that does is found by
    bisection, and confirmed in a longer window; one that is not confirmed is lowered a little.
    The rate that limits the search in the end is tried twice: perhaps something else disturbed it.
    Returns 0 if no rate holds, or none was confirmed within `MOST_WINDOWS`.
    """
    good, rate = 0.0, start
    # The rates that have not held, the least of them last, and which of them was tried twice.
    bad, twice = [math.inf], 0.0
    doubting = confirming = False
    for number in range(1, MOST_WINDOWS + 1):
        seconds = first.seconds * (CONFIRM_FOR if confirming else 1.0)
        result = yield replace(first, number=number, rate=rate, seconds=seconds)
        held = holds(result)
        if confirming:
            if held:
                return rate
            # What held before did so by luck, or for a short time only.
            rate *= STEP_BACK
        else:
            if held:
                good = rate
            if doubting:
                if held:
                    bad.pop()
                else:
                    twice = rate
            elif not held:
                bad.append(rate)
            least = bad[-1]
            found = least <= good * (1 + PRECISION)
            confirming = found and twice == least
            doubting = found and not confirming
            if confirming:
                rate = good
            elif doubting:
                rate = least
            elif good == 0.0:
                rate = least / GROWTH
            else:
                rate = good * GROWTH if least == math.inf else (good + least) / 2
        if rate < LEAST_RATE:
            break
    return 0.0
