"""What a peer program prints: a line that says where it listens, and one for each event."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

Fact = str | int | float | bool | None


class Journal:
    """Prints events as JSON lines, each at once and with the time of CLOCK_MONOTONIC.

    ``facts`` is asked at each event for what is already true at that moment; what is None is left
    out.  Nothing is printed once the reader is gone.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self.facts: Callable[[], Mapping[str, Fact]] = lambda: {"peer": False}

    def begin(self, port: int, versions: Mapping[str, str]) -> None:
        """Print the first line."""
        self._print({"port": port, "versions": dict(versions)})

    def record(self, event: str, text: str | None = None) -> None:
        """Print that ``event`` has happened now."""
        at = time.monotonic()
        facts = {**self.facts(), "text": text}
        known = {name: value for name, value in facts.items() if value is not None}
        self._print({"at": at, "event": event, "facts": known})

    def failed(self, event: str, error: BaseException | None) -> None:
        """Print an event that carries an error, or None for its absence."""
        self.record(event, said(error))

    def take_logs(self) -> None:
        """Have what libraries log, warnings included, become events instead of standard error."""
        logging.captureWarnings(True)
        logging.basicConfig(level=logging.WARNING, handlers=[_Logged(self)], force=True)

    def _print(self, line: Mapping[str, object]) -> None:
        try:
            print(json.dumps(line), file=self._out, flush=True)
        except BrokenPipeError:
            # What is left in the buffer must not be tried again when the interpreter ends.
            self._out = open("/dev/null", "w")  # noqa: SIM115
            sys.stdout = self._out


class _Logged(logging.Handler):
    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        first = record.getMessage().partition("\n")[0]
        error = record.exc_info[1] if record.exc_info else None
        self._journal.record("logged", f"{first}: {said(error)}" if error else first)


def said(error: BaseException | None) -> str:
    """Return an error's type and text in one line; "None" for none."""
    if error is None:
        return "None"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def sized(data: bytes) -> str:
    """Return how many bytes there are, in words: what they are is nobody's business."""
    return f"{len(data)} byte" if len(data) == 1 else f"{len(data)} bytes"
