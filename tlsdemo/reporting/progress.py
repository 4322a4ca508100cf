"""What a command is doing, on standard error: a line that moves on a terminal, else one a phase.

Results are never written here.  Where there is no terminal, or a dumb one, a phase has one line
when it begins, and more only if it is long.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from tlsdemo.reporting.progress_line import BAR, Piece, bar_width, clock_text, fitting
from tlsdemo.reporting.terminal import cell, console_of, print_line

PLAIN_EVERY = 10.0
"""Seconds between two lines of the same phase, without a terminal."""

REFRESH_EVERY = 0.1
"""Seconds between two changes of the line on a terminal."""

_AT_FIRST = 1.0
"""Seconds of a phase before its duration or its rate and the time left are shown."""


def standard_error() -> Console:
    """Return the console for progress: standard error, without colours if ``NO_COLOR`` is set."""
    return console_of(sys.stderr)


class Progress:
    """Shows the phases of one command, or of one part of it that ``title`` names.

    It has no thread: what is shown changes when :meth:`begin` and :meth:`update` are called.  What
    cannot be written is not shown; that is no error.
    """

    def __init__(self, console: Console, title: str = "") -> None:
        self.title = title
        self.below: RenderableType | None = None
        """What is shown under the line, on a terminal only."""
        self._console = console
        self.lives = console.is_terminal and not console.is_dumb_terminal
        self._live: Live | None = None
        self._phase = ""
        self._things = ""
        self._total: float | None = None
        self._seconds: float | None = None
        self._began = self._shown = 0.0

    def begin(
        self,
        phase: str,
        total: int | None = None,
        things: str = "",
        *,
        seconds: float | None = None,
        quiet_for: float = 0.0,
    ) -> None:
        """Begin a phase: of ``total`` things, or of ``seconds``, or of unknown length.

        ``quiet_for``: the seconds before anything is shown of a phase that is mostly shorter.
        """
        self._phase, self._things = phase, things
        self._total, self._seconds = total, seconds
        self._began = self._shown = self._console.get_time()
        if quiet_for:
            self._shown += quiet_for - self._every
        elif self.lives:
            self._write(0, ())
        else:
            self._say(" ".join([self._phase, *self._extent()]))

    def update(self, done: int = 0, *facts: str, now_at: str = "") -> None:
        """Show that ``done`` things of this phase are done; the most important fact comes first.

        ``now_at``: what is done now, which is shown if there is room.
        """
        now = self._console.get_time()
        if now - self._shown >= self._every:
            self._shown = now
            self._write(done, facts, now_at)

    def say(self, text: str) -> None:
        """Write a line that stays: a step that was taken, or what to expect."""
        self.clear()
        self._say(text)

    def clear(self) -> None:
        """Take the line off the terminal, until the next update."""
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError):
                live.stop()

    @property
    def _every(self) -> float:
        return REFRESH_EVERY if self.lives else PLAIN_EVERY

    def _say(self, text: str) -> None:
        with suppress(OSError):
            print_line(self._console, f"{self.title}: {text}" if self.title else text)

    def _extent(self) -> list[str]:
        if self._seconds is not None:
            return [f"for {self._seconds:g} s"]
        return [] if self._total is None else [f"{self._total:,.0f} {self._things}"]

    def _write(self, done: int, facts: tuple[str, ...], now_at: str = "") -> None:
        elapsed = self._console.get_time() - self._began
        pieces = self._pieces(done, elapsed, facts)
        if now_at:
            pieces.append(Piece(f"now {now_at}", 6))
        if not self.lives:
            self._say(f"{self._phase}: {', '.join(each.text.strip() for each in pieces[1:])}")
            return
        with suppress(OSError):
            if self._live is None:
                # With standard output redirected, Rich would bring here what is printed there.
                self._live = Live(
                    console=self._console, transient=True, auto_refresh=False,
                    redirect_stdout=False,
                )  # fmt: skip
                self._live.start()
            line = self._line(pieces, done, elapsed)
            shown = line if self.below is None else Group(line, self.below)
            self._live.update(shown, refresh=True)

    def _pieces(self, done: int, elapsed: float, facts: tuple[str, ...]) -> list[Piece]:
        """Return what there is to say, in its order on the line; the label is the first."""
        label = Piece(self._phase, 0, longer=f"{self.title}: {self._phase}" if self.title else "")
        if self._seconds is not None:
            left: float | None = max(0.0, self._seconds - elapsed)
            figures = []
        elif self._total is None:
            left = None
            figures = [Piece(clock_text(elapsed), 0)] if elapsed >= _AT_FIRST else []
        else:
            total = f"{self._total:,.0f}"
            figures = [Piece(f"{done:{len(total)},} of {total}", 0)]
            known = done and elapsed >= _AT_FIRST
            left = max(0.0, self._total - done) * elapsed / done if known else None
            if known and done / elapsed >= 1:
                figures.append(Piece(f"{done / elapsed:,.0f}/s", 5))
        if left is not None:
            figures.insert(1, Piece(f"{clock_text(left)} left", 1))
        return [label, *figures, *(Piece(fact, 2) for fact in facts)]

    def _line(self, pieces: list[Piece], done: int, elapsed: float) -> Table:
        whole = self._total if self._seconds is None else self._seconds
        # The last column stays empty: some terminals wrap a line that fills it.
        width = self._console.width - 1
        texts = fitting(pieces, width, with_bar=bool(whole))
        line = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        for _ in texts:
            line.add_column(no_wrap=True)
        completed = elapsed if self._seconds is not None else done
        bar = ProgressBar(total=whole or 1, completed=completed, width=bar_width(width))
        line.add_row(*(bar if text is BAR else cell(text) for text in texts))
        return line
