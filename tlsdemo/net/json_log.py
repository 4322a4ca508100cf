"""The log as lines of JSON, for programs that read it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, TextIO, cast

from twisted.logger import FileLogObserver, ILogObserver, LogEvent, formatEvent

from tlsdemo.net.bounded_log import LONGEST
from tlsdemo.net.log_stream import LogStream
from tlsdemo.printable import printable


def json_text(event: LogEvent) -> str | None:
    """Return an event as a line of JSON, within bounds; ``None`` if it has no text.

    Its fields are ``time`` (UTC, ISO 8601), ``level``, ``namespace``, ``message``, which is a line
    of the text log without time and namespace, and ``fields``: what the message is made of, by
    name.  ``failure`` is the traceback of an exception that was logged.
    """
    message = formatEvent(event)
    failure = event.get("log_failure")
    if not message and failure is None:
        return None
    level = event.get("log_level")
    seconds = float(event.get("log_time", 0.0))
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds"),
        "level": "info" if level is None else str(level.name),
        "namespace": str(event.get("log_namespace", "")),
        "message": printable(message, LONGEST),
        "fields": {name: _plain(value) for name, value in event.items() if _is_own(name)},
    }
    if failure is not None:
        line["failure"] = failure.getTraceback()[:LONGEST]
    return json.dumps(line) + "\n"


def _is_own(name: str) -> bool:
    # What begins with log_ is Twisted's, and so are the names of its older log.
    return not name.startswith("log_") and name not in ("system", "isError", "message", "time")


def _plain(value: object, depth: int = 3) -> object:
    """Return a value for JSON: what JSON has no type for as text, within bounds."""
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, dict) and depth:
        return {str(name)[:LONGEST]: _plain(each, depth - 1) for name, each in value.items()}
    if isinstance(value, list | tuple) and depth:
        return [_plain(each, depth - 1) for each in value]
    return printable(str(value), LONGEST)


def json_log(stream: TextIO | LogStream) -> ILogObserver:
    """Return an observer that writes events to ``stream`` by :func:`json_text`."""
    return cast(ILogObserver, FileLogObserver(cast(TextIO, stream), json_text))
