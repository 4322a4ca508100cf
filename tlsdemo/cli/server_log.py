"""The log of ``twistd tlsdemo``: where twistd would write it, within bounds and printable."""

from __future__ import annotations

import enum
import signal
import sys
import syslog
from collections.abc import Mapping
from typing import Any, TextIO, cast

from twisted.logger import ILogObserver, LegacyLogObserverWrapper
from twisted.python.logfile import LogFile

from tlsdemo.net.bounded_log import BoundedLog, printable_log
from tlsdemo.net.json_log import json_log
from tlsdemo.net.log_stream import LogStream
from tlsdemo.printable import printable
from tlsdemo.reporting.terminal import write_line

SERVER = "twistd tlsdemo"

DEFAULT_LOG = "twistd.log"
"""The log of a daemon, if twistd is given no other."""


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
    make = _OBSERVERS[log_format]
    if twistd["syslog"]:
        from twisted.python.syslog import SyslogObserver

        observer = LegacyLogObserverWrapper(cast(Any, SyslogObserver(twistd["prefix"]).emit))
    elif name == "-" or (foreground and not name):
        observer = make(_stream(sys.stdout, "standard output", foreground))
    else:
        name = name or DEFAULT_LOG
        observer = make(_stream(_log_file(name, reactor), repr(name), foreground))
    return BoundedLog(observer, reactor.seconds)  # type: ignore[return-value, unused-ignore]


def _stream(stream: TextIO, name: str, foreground: bool) -> LogStream:
    def complain(why: str) -> None:
        text = f"{SERVER}: the log cannot be written to {name}, but the server goes on: {why}"
        write_line(sys.__stderr__, text)
        if not foreground:
            # A daemon has no standard error.
            syslog.syslog(syslog.LOG_ERR, printable(text))

    return LogStream(stream, complain)


def _log_file(name: str, reactor: Any) -> Any:
    """Open a log file that SIGUSR1 rotates, as twistd does."""
    file = LogFile.fromFullPath(name)
    if not signal.getsignal(signal.SIGUSR1):
        signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(file.rotate))
    return file
