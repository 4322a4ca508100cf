"""The log of ``twistd tlsdemo``: where twistd would write it, within bounds and printable."""

from __future__ import annotations

import enum
import signal
import sys
from collections.abc import Mapping
from typing import Any, cast

from twisted.logger import ILogObserver, LegacyLogObserverWrapper
from twisted.python.logfile import LogFile

from tlsdemo.net.bounded_log import BoundedLog, printable_log
from tlsdemo.net.json_log import json_log


class LogFormat(enum.Enum):
    """What the lines of the log are."""

    TEXT = "text"
    JSON = "json"


_OBSERVERS = {LogFormat.TEXT: printable_log, LogFormat.JSON: json_log}


def server_log(
    twistd: Mapping[str, Any], reactor: Any, log_format: LogFormat = LogFormat.TEXT
) -> ILogObserver | None:
    """Return the log observer for twistd's options ``--logfile``, ``--nodaemon`` and ``--syslog``.

    ``log_format`` is that of lines on standard output or in a file.
    ``None`` leaves it to twistd: with ``--logger``, and where twistd refuses the options.
    """
    name, foreground = twistd["logfile"], twistd["nodaemon"]
    if twistd["logger"] or (name == "-" and not foreground):
        return None
    observer: Any
    if twistd["syslog"]:
        from twisted.python import syslog

        observer = LegacyLogObserverWrapper(cast(Any, syslog.SyslogObserver(twistd["prefix"]).emit))
    elif name == "-" or (foreground and not name):
        observer = _OBSERVERS[log_format](sys.stdout)
    else:
        observer = _OBSERVERS[log_format](_log_file(name or "twistd.log", reactor))
    return BoundedLog(observer, reactor.seconds)  # type: ignore[return-value, unused-ignore]


def _log_file(name: str, reactor: Any) -> Any:
    """Open a log file that SIGUSR1 rotates, as twistd does."""
    file = LogFile.fromFullPath(name)
    if not signal.getsignal(signal.SIGUSR1):
        signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(file.rotate))
    return file
