"""The files that twistd writes for a service: its log and its pid file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tlsdemo.cli.options import fail
from tlsdemo.cli.server_log import DEFAULT_LOG
from tlsdemo.net.writable import why_not_writable


def in_foreground(twistd: Mapping[str, Any]) -> bool:
    """Whether twistd's options keep it in the foreground."""
    return bool(twistd.get("nodaemon") or twistd.get("debug"))


def log_file(twistd: Mapping[str, Any]) -> str | None:
    """Return the name of the log file, or None if the log goes elsewhere."""
    if twistd.get("logger") or twistd.get("syslog") or twistd.get("logfile") == "-":
        return None
    name: str | None = twistd.get("logfile") or (None if in_foreground(twistd) else DEFAULT_LOG)
    return name


def check_twistd_files(command: str, twistd: Mapping[str, Any] | None) -> None:
    """End the process with one line and status 2 if twistd could not write one of its files.

    It would end with a traceback.  Some files cannot be checked: those in another root (--chroot).
    """
    if twistd is None or "nodaemon" not in twistd:
        return
    name = log_file(twistd)
    if name is not None and (why := why_not_writable(Path(name))):
        fail(command, f"--logfile is {name!r}, which cannot be written: {why}")
    to_output = name is None and not (twistd.get("logger") or twistd.get("syslog"))
    if to_output and sys.__stdout__ is None:
        fail(command, "the log cannot be written to standard output: it is closed; give --logfile")
    pid_file = twistd.get("pidfile")
    if pid_file and not twistd.get("chroot") and (why := why_not_writable(Path(pid_file))):
        fail(command, f"--pidfile is {pid_file!r}, which cannot be written: {why}")
