"""The edge to twistd's log: what Twisted itself logs, within bounds and printable.

Our own lines are bounded where they are written.  Twisted's are not: it logs a line for each
connection that it cannot accept (EMFILE, ENFILE), as fast as clients connect, and a traceback for
each exception, whose text may be a peer's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TextIO, cast

from twisted.logger import (
    FileLogObserver,
    ILogObserver,
    LogEvent,
    formatEventAsClassicLogText,
)
from zope.interface import implementer

from tlsdemo.net.log_stream import LogStream
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.printable import printable

OURS = "tlsdemo"
"""The namespace of events that are bounded already."""

MOST = 20
"""Events a second that are logged of each other namespace."""

LONGEST = 4000
"""Characters of a line after which it is cut off."""


@implementer(ILogObserver)
class BoundedLog:
    """Passes at most `MOST` events a second of each namespace on to ``observer``, and all of ours.

    How many were left out is logged once, with the first event of a later second.  ``clock``
    returns the time in seconds.
    """

    def __init__(self, observer: ILogObserver, clock: Callable[[], float]) -> None:
        self._observer = observer
        self._clock = clock
        self._log = PrintableLogger(OURS, observer=observer)
        self._second = 0
        self._seen: Counter[str] = Counter()

    def __call__(self, event: LogEvent) -> None:
        """Pass ``event`` on, or count it."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._report()
        namespace = str(event.get("log_namespace", ""))
        if namespace != OURS:
            self._seen[namespace] += 1
            if self._seen[namespace] > MOST:
                return
        self._observer(event)

    def _report(self) -> None:
        seen, self._seen = self._seen, Counter()
        for namespace, number in seen.items():
            if number > MOST:
                self._log.warn(
                    "{left_out} more lines of {namespace} were not logged",
                    left_out=number - MOST,
                    namespace=namespace,
                )


def printable_text(event: LogEvent) -> str | None:
    """Return an event as text, as twistd's log has it, but printable.

    Further lines, as those of a traceback, are indented by a tab, so that none looks like an event.
    """
    text = formatEventAsClassicLogText(event)
    if text is None:
        return None
    first, *others = text.removesuffix("\n").split("\n")
    lines = [printable(first, LONGEST)]
    lines += [f"\t{printable(line.removeprefix(chr(9)), LONGEST)}" for line in others]
    return "".join(f"{line}\n" for line in lines)


def printable_log(stream: TextIO | LogStream) -> ILogObserver:
    """Return an observer that writes events to ``stream`` by :func:`printable_text`."""
    return cast(ILogObserver, FileLogObserver(cast(TextIO, stream), printable_text))
