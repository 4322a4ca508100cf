"""The log of ``twistd tlsdemo``: where twistd would write it, within bounds and printable."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from typing import Any, cast

from twisted.logger import ILogObserver, LegacyLogObserverWrapper
from twisted.python.logfile import LogFile

from tlsdemo.net.bounded_log import BoundedLog, printable_log


def server_log(twistd: Mapping[str, Any], reactor: Any) -> ILogObserver | None:
    """Return the log observer for twistd's options ``--logfile``, ``--nodaemon`` and ``--syslog``.

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
        observer = printable_log(sys.stdout)
    else:
        observer = printable_log(_log_file(name or "twistd.log", reactor))
    return BoundedLog(observer, reactor.seconds)  # type: ignore[return-value, unused-ignore]


def _log_file(name: str, reactor: Any) -> Any:
    """Open a log file that SIGUSR1 rotates, as twistd does."""
    file = LogFile.fromFullPath(name)
    if not signal.getsignal(signal.SIGUSR1):
        signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(file.rotate))
    return file
