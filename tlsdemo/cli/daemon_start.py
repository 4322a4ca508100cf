"""What a daemon says on the terminal from which it is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tlsdemo.cli.twistd_files import in_foreground, log_file
from tlsdemo.printable import printable

_LONGEST_OF_TWISTD = 80
"""Characters of a problem that twistd is certain to say, with the name of its exception."""


class DaemonStart:
    """Keeps standard error, which twistd closes when it goes to the background, until `say`.

    twistd waits in the foreground until the service has started, so what is said appears before the
    shell's prompt.
    """

    def __init__(self, command: str, twistd: Mapping[str, Any]) -> None:
        self._command = command
        self._pid_file = twistd.get("pidfile")
        log = log_file(twistd)
        # Before twistd changes the directory (--rundir).
        self._log = None if log is None else Path(log).absolute()
        self._terminal: int | None = None
        if not in_foreground(twistd) and sys.__stderr__ is not None:
            with suppress(OSError):
                self._terminal = os.dup(sys.__stderr__.fileno())

    def say(self, what: str) -> None:
        """Say ``what`` in one line, with the log, the pid file and the process's number."""
        parts = [what]
        if self._log is not None:
            parts.append(f"log {self._log}")
        if self._pid_file:
            parts.append(f"pid file {self._pid_file}")
        parts.append(f"pid {os.getpid()}")
        self._write("; ".join(parts))

    def fail(self, problem: str) -> None:
        """Say ``problem`` in one line, if twistd, which also says it, would cut it off."""
        if len(problem) > _LONGEST_OF_TWISTD:
            self._write(problem)

    def _write(self, text: str) -> None:
        if self._terminal is not None:
            # What cannot be written here is in the log.
            with suppress(OSError):
                os.write(self._terminal, f"{self._command}: {printable(text)}\n".encode())
            os.close(self._terminal)
            self._terminal = None
