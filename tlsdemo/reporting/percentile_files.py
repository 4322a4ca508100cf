"""PURE.  HdrHistogram's percentile distributions, which its plotters read: one a latency."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from tlsdemo.reporting.latencies import NAMES
from tlsdemo.reporting.run_result import RunResult

_MILLISECOND = 1000.0
"""In the unit of the histograms."""


def distribution_files(result: RunResult) -> Iterator[tuple[str, bytes]]:
    """Return the middle of the name of each file, and its text; values are in milliseconds.

    The name is that of the latency; after the number of the window if there are several, and after
    ``opening`` for what was measured before the load.
    """
    opening = [] if result.opening is None else [("opening", result.opening)]
    several = len(result.windows) > 1
    windows = [(f"window-{each.number}" if several else "", each) for each in result.windows]
    for label, window in [*opening, *windows]:
        for name in NAMES:
            kinds = window.latencies.kinds(name)
            for each in [name, *(f"{name}/{kind}" for kind in kinds if len(kinds) > 1)]:
                histogram = window.latencies.histogram(each)
                if histogram is not None and histogram.get_total_count():
                    file = io.BytesIO()
                    histogram.output_percentile_distribution(file, _MILLISECOND)
                    # The library does not convert the deviation, only everything else.
                    deviation = b"StdDeviation   = %12.3f]" % (
                        histogram.get_stddev() / _MILLISECOND
                    )
                    text = re.sub(rb"StdDeviation +=[^]]*]", deviation, file.getvalue())
                    # The server chooses the name of a group.
                    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", each)
                    yield ".".join(filter(None, [label, safe])), text
