"""SIGTERM and SIGHUP end a command as Ctrl-C does: it cleans up, and ends what it has started."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""What a supervisor sends, and a terminal that is closed."""


class Interrupted(KeyboardInterrupt):
    """A signal asks the command to end; ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def interrupted_by(*signals: signal.Signals) -> Iterator[None]:
    """Have these signals raise `Interrupted`, or stop the reactor if it is running.

    Signals that are ignored, as after nohup(1), remain so.  Of SIGTERM and SIGHUP only the first
    counts: closing a terminal may send two, and the second must not disturb the cleaning up.
    """
    if threading.current_thread() is not threading.main_thread():
        # Python handles signals in the main thread only.
        yield
        return
    before = {
        each: handler
        for each in signals
        if (handler := signal.getsignal(each)) not in (signal.SIG_IGN, None)
    }
    ending = False

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal ending
        if ending and number in ENDING:
            return
        ending = True
        # Importing it would install it.
        reactor = sys.modules.get("twisted.internet.reactor")
        if reactor is not None and reactor.running:
            # It would only log an exception.
            reactor.callFromThread(reactor.stop)
        else:
            raise Interrupted(number)

    for each in before:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
