"""The progress of a load: a line that is updated on a terminal, separate lines elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.live import Live

from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.snapshot import MEGABYTE
from tlsdemo.reporting.terminal import cell, print_line

PLAIN_EVERY = 2.0
"""Seconds between two lines of the same phase, without a terminal."""


class Progress:
    """Shows the progress of a load of ``connections``; ``title`` begins each line."""

    def __init__(self, console: Console, title: str, connections: int) -> None:
        self._console = console
        self._title = title
        self._connections = connections
        self._live = Live(console=console, transient=True, auto_refresh=False)
        self._phase = ""
        self._last = 0.0
        self._phase_began = 0.0
        self._sent_before = 0

    def start(self) -> None:
        """Reserve the last line of the terminal, if there is one."""
        if self._console.is_terminal:
            self._live.start()

    def stop(self) -> None:
        """Release the last line of the terminal."""
        self._live.stop()

    def show(self, phase: str, counters: LoadCounters, elapsed: float) -> None:
        """Show ``counters`` after ``elapsed`` seconds in ``phase``."""
        new_phase = phase != self._phase
        if new_phase:
            self._phase, self._phase_began, self._sent_before = phase, elapsed, counters.sent
        text = self._text(counters, elapsed)
        if self._console.is_terminal:
            line = cell(text)
            line.no_wrap, line.overflow = True, "ellipsis"
            self._live.update(line, refresh=True)
        elif new_phase or elapsed - self._last >= PLAIN_EVERY:
            self._last = elapsed
            print_line(self._console, text)

    def _text(self, counters: LoadCounters, elapsed: float) -> str:
        took = elapsed - self._phase_began
        rate = (counters.sent - self._sent_before) / MEGABYTE / took if took else 0.0
        parts = [
            f"{self._title} {elapsed:5.1f}s {self._phase}:",
            f"{counters.begun}/{self._connections} begun,",
            f"{counters.secured} secured,",
            f"{counters.failures} failed,",
            f"{counters.ended} closed,",
            f"{counters.sent / MEGABYTE:,.1f} MB sent",
        ]
        if self._phase == "sending":
            parts.append(f"at {rate:,.1f} MB/s")
        return " ".join(parts)
