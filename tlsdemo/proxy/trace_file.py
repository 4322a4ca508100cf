"""A file of traces, for a sample of the connections."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial

from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.net.private_file import CannotOpen
from tlsdemo.trace import qlog
from tlsdemo.trace.model import Arrow, End, Mark, begin_line, line_of
from tlsdemo.trace.timeline import Event, Fact


class TraceFormat(enum.Enum):
    """What a file of traces is: lines of JSON of our own, or qlog."""

    JSON = "json"
    QLOG = "qlog"


def begin_file(file: AppendOnlyFile, trace_format: TraceFormat) -> None:
    """Begin a file of traces, or go on with one; raises `CannotOpen` if that has another format."""
    if not file.is_empty:
        with file.path.open("rb") as existing:
            is_qlog = existing.read(1) == qlog.RECORD_SEPARATOR.encode()
        if is_qlog != (trace_format is TraceFormat.QLOG):
            found = TraceFormat.QLOG if is_qlog else TraceFormat.JSON
            raise CannotOpen(
                f"--trace is {str(file.path)!r}, which has traces in format {found.value}, and "
                f"--trace-format is {trace_format.value}; name another file"
            )
    elif trace_format is TraceFormat.QLOG:
        file.append(f"{qlog.header()}\n".encode())
        # Now, so that workers find it there.
        file.flush()


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
    trace_format: TraceFormat = TraceFormat.JSON

    def writer(self, number: int, peer: str) -> Callable[[Mark | Arrow], object] | None:
        """Return a function that writes the trace of connection ``number``, from 1, or ``None``."""
        if not self.file.is_open or (number > 1 and number % self.every):
            return None
        first, text_of = self._begin(number, peer)
        self._append(first)
        left = self.most

        def write(seen: Mark | Arrow) -> None:
            nonlocal left
            if self.most and left <= 0:
                return
            left -= self._append(text_of(seen))
            if self.most and left <= 0:
                facts: dict[str, Fact] = {"limit": self.most}
                end = Event("trace cut off", seen.at, facts)
                self._append(text_of(Mark(End.SERVER, end)))

        return write

    def _begin(self, number: int, peer: str) -> tuple[str, Callable[[Mark | Arrow], str]]:
        now = self.now()
        if self.trace_format is TraceFormat.QLOG:
            return qlog.begin(number, peer, self.facts, now)
        began = now.isoformat(timespec="milliseconds")
        title = f"connection {number} from {peer}"
        facts = {**self.facts, "peer": peer, "began": began}
        return begin_line(number, title, facts), partial(line_of, number)

    def _append(self, line: str) -> int:
        data = line.encode() + b"\n"
        self.file.append(data)
        return len(data)
