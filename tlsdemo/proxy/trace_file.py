"""A file of traces, for a sample of the connections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.trace.model import Arrow, End, Mark, begin_line, line_of
from tlsdemo.trace.timeline import Event, Fact


@dataclass(frozen=True)
class TraceFile:
    """Writes traces of some connections to ``file``: of the first, and of one in every ``every``.

    Each trace begins with ``facts``, the address of its peer, and the time (``now``).  ``most``:
    bytes of one trace after which it is cut off, so that one client cannot fill the file; 0 for no
    limit.
    """

    file: AppendOnlyFile
    every: int = 1
    most: int = 0
    facts: dict[str, Fact] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    def writer(self, number: int, peer: str) -> Callable[[Mark | Arrow], object] | None:
        """Return a function that writes the trace of connection ``number``, from 1, or ``None``."""
        if not self.file.is_open or (number > 1 and number % self.every):
            return None
        began = self.now().isoformat(timespec="milliseconds")
        title = f"connection {number} from {peer}"
        self._append(begin_line(number, title, {**self.facts, "peer": peer, "began": began}))
        left = self.most

        def write(seen: Mark | Arrow) -> None:
            nonlocal left
            if self.most and left <= 0:
                return
            left -= self._append(line_of(number, seen))
            if self.most and left <= 0:
                facts: dict[str, Fact] = {"limit": self.most}
                end = Event("trace cut off", seen.at, facts)
                self._append(line_of(number, Mark(End.SERVER, end)))

        return write

    def _append(self, line: str) -> int:
        data = line.encode() + b"\n"
        self.file.append(data)
        return len(data)
