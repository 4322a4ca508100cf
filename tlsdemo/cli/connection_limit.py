"""The limit of open connections, as far as there are file descriptors for them."""

from __future__ import annotations

from twisted.logger import LogLevel

from tlsdemo.net.limits import connections_possible, raise_descriptor_limit
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.limiter import USUAL_LIMIT

_log = PrintableLogger(namespace="tlsdemo")


def lowered(asked: int | None, each: int, workers: int) -> int:
    """Return how many connections to accept, and say so if that is fewer than ``asked``.

    ``asked``: 0 for as many as possible; ``None`` for the same, up to the usual limit.  ``each``:
    the file descriptors that each takes.  ``workers``: the processes that share them.
    """
    limit = raise_descriptor_limit()
    possible = connections_possible(limit, each) * workers
    wanted = USUAL_LIMIT if asked is None else asked
    if wanted > possible:
        _log.emit(
            LogLevel.info if asked is None else LogLevel.warn,
            "at most {possible} connections are accepted, not --max-connections={wanted}: "
            "each takes {each} of the {limit} file descriptors that {who} may open "
            "(ulimit -n)",
            possible=possible,
            wanted=wanted,
            each=each,
            limit=limit,
            who="this process" if workers == 1 else f"each of {workers} processes",
        )
    return min(wanted or possible, possible)
