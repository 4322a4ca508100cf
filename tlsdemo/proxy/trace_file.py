"""A file of traces, for a sample of the connections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.trace.model import Arrow, Mark, begin_line, line_of
from tlsdemo.trace.timeline import Fact


@dataclass(frozen=True)
class TraceFile:
    """Writes traces of some connections to ``file``: of the first, and of one in every ``every``.

    Each trace begins with ``facts``, the address of its peer, and the time (``now``).
    """

    file: AppendOnlyFile
    every: int = 1
    facts: dict[str, Fact] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    def writer(self, number: int, peer: str) -> Callable[[Mark | Arrow], object] | None:
        """Return a function that writes the trace of connection ``number``, from 1, or ``None``."""
        if not self.file.is_open or (number > 1 and number % self.every):
            return None
        began = self.now().isoformat(timespec="milliseconds")
        title = f"connection {number} from {peer}"
        self._append(begin_line(number, title, {**self.facts, "peer": peer, "began": began}))
        return lambda seen: self._append(line_of(number, seen))

    def _append(self, line: str) -> None:
        self.file.append(line.encode() + b"\n")
