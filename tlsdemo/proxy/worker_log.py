"""The log of a worker process, on its way to the log of its parent.

Each line is a JSON object with the name of the ``level`` and the ``text``.
"""

from __future__ import annotations

import json
from typing import Any, TextIO

from twisted.logger import FileLogObserver, InvalidLogLevelError, LogEvent, LogLevel, eventAsText

from tlsdemo.net.bounded_log import OURS

LONGEST_LOGGED = 1 << 16
"""Bytes of a line that the parent reads; a longer one is cut off."""


def worker_log(stream: TextIO) -> FileLogObserver:
    """Return an observer that writes to ``stream`` what concerns the parent.

    What Twisted tells of its own accord does not, unless it is a warning or worse.
    """
    return FileLogObserver(stream, _line)


def _line(event: LogEvent) -> str | None:
    level: Any = event.get("log_level") or LogLevel.info
    if event.get("log_namespace") != OURS and level < LogLevel.warn:
        return None
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    return json.dumps({"level": level.name, "text": text}) + "\n"


def logged(line: bytes) -> tuple[Any, str]:
    """Return level and text of a line.

    If it is another one, the process or its Python has written it: a warning.
    """
    text = line.decode(errors="replace")
    try:
        found = json.loads(text)
        return LogLevel.levelWithName(found["level"]), str(found["text"])
    except (ValueError, KeyError, TypeError, RecursionError, InvalidLogLevelError):
        return LogLevel.warn, text
