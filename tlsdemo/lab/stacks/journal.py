"""The output of a stack's program: a line with the port that it listens on, then its events."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

Fact = str | int | float | bool | None


class Journal:
    """Prints events as JSON lines, unbuffered, with their time on CLOCK_MONOTONIC.

    ``facts`` is called for each event, and returns the facts that hold at that moment; those that
    are None are left out.  Once nobody reads the output, it is discarded.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self.facts: Callable[[], Mapping[str, Fact]] = lambda: {"peer": False}

    def begin(self, port: int, versions: Mapping[str, str]) -> None:
        """Print the first line, which says where the program listens."""
        self._print({"port": port, "versions": dict(versions)})

    def record(self, event: str, text: str | None = None) -> None:
        """Print that ``event`` is happening now."""
        at = time.monotonic()
        facts = {**self.facts(), "text": text}
        known = {name: value for name, value in facts.items() if value is not None}
        self._print({"at": at, "event": event, "facts": known})

    def record_error(self, event: str, error: BaseException | None) -> None:
        """Print an event with an error, or with None if there is none."""
        self.record(event, error_text(error))

    def capture_logs(self) -> None:
        """Turn what libraries log, warnings included, into events."""
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
        self._journal.record("logged", f"{first}: {error_text(error)}" if error else first)


def error_text(error: BaseException | None) -> str:
    """Return the type and the message of an error in one line, or "None"."""
    if error is None:
        return "None"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def size_text(data: bytes) -> str:
    """Return the number of bytes in words; journals never contain the data itself."""
    return f"{len(data)} byte" if len(data) == 1 else f"{len(data)} bytes"
