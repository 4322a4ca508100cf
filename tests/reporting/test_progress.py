from __future__ import annotations

import io
import re
import sys
import threading

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.progress import Progress, standard_error


class ProgressCase(SynchronousTestCase):
    terminal = False

    def setUp(self) -> None:
        self.now = 0.0
        self.file = io.StringIO()

    def progress(self, title: str = "pair", width: int = 120) -> Progress:
        console = Console(
            file=self.file, force_terminal=self.terminal, width=width, color_system=None,
            get_time=lambda: self.now, _environ={"TERM": "xterm"},
        )  # fmt: skip
        progress = Progress(console, title)
        self.addCleanup(progress.clear)
        return progress

    def take(self) -> str:
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text


class WithoutATerminal(ProgressCase):
    def test_a_phase_has_a_line_when_it_begins(self) -> None:
        progress = self.progress()
        progress.begin("securing", 2000, "connections")
        progress.begin("sending", seconds=5)
        progress.begin("starting")
        self.assertEqual(
            self.take().splitlines(),
            ["pair: securing 2,000 connections", "pair: sending for 5 s", "pair: starting"],
        )

    def test_a_long_phase_has_a_line_every_ten_seconds(self) -> None:
        progress = self.progress()
        progress.begin("securing", 2000, "connections")
        self.take()
        shown = []
        for second in range(1, 31):
            self.now = second
            progress.update(second, "2 failed")
            shown += self.take().splitlines()
        self.assertEqual(
            shown,
            [
                "pair: securing: 10 of 2,000, 33:10 left, 1/s, 2 failed",
                "pair: securing: 20 of 2,000, 33:00 left, 1/s, 2 failed",
                "pair: securing: 30 of 2,000, 32:50 left, 1/s, 2 failed",
            ],
        )

    def test_a_phase_that_may_be_short_is_quiet_at_first(self) -> None:
        progress = self.progress()
        progress.begin("reading", quiet_for=2)
        for second, line in ((1.9, ""), (2, "pair: reading: 0:02, 7 files\n"), (11.9, "")):
            self.now = second
            progress.update(7, "7 files")
            self.assertEqual(self.take(), line)

    def test_what_has_no_known_length_shows_how_long_it_has_taken(self) -> None:
        progress = self.progress()
        progress.begin("installing")
        self.take()
        self.now = 75
        progress.update(0, "Collecting Twisted")
        self.assertEqual(self.take(), "pair: installing: 1:15, Collecting Twisted\n")

    def test_a_line_is_not_wrapped_on_a_narrow_console(self) -> None:
        self.progress(width=20).begin("securing", 2000, "connections")
        self.assertEqual(self.take().count("\n"), 1)

    def test_a_title_is_not_interpreted_as_markup(self) -> None:
        self.progress("[bold]").begin("securing")
        self.assertEqual(self.take(), "[bold]: securing\n")

    def test_without_a_title_a_line_is_what_is_said(self) -> None:
        self.progress("").say("a step")
        self.assertEqual(self.take(), "a step\n")

    def test_what_cannot_be_written_is_no_error(self) -> None:
        def full(_: str) -> int:
            raise OSError(28, "No space left on device")

        progress = self.progress()
        self.patch(self.file, "write", full)
        progress.begin("securing")
        progress.say("a step")


class OnADumbTerminal(WithoutATerminal):
    """Emacs' shell, or a log of a CI system that claims to be a terminal."""

    terminal = True

    def progress(self, title: str = "pair", width: int = 120) -> Progress:
        console = Console(
            file=self.file, force_terminal=True, width=width, color_system=None,
            get_time=lambda: self.now, _environ={"TERM": "dumb"},
        )  # fmt: skip
        return Progress(console, title)


class OnATerminal(ProgressCase):
    terminal = True

    def line(self) -> str:
        """Return what is on the line now."""
        return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\r", "\n", self.take()).split("\n")[-1]

    def test_one_line_is_updated(self) -> None:
        progress = self.progress()
        progress.begin("securing", 10, "connections")
        self.take()
        self.now = 2.0
        progress.update(4)
        text = self.take()
        self.assertIn(" 4 of 10  0:03 left  2/s", text)
        self.assertNotIn("\n", text)

    def test_it_changes_at_most_ten_times_a_second(self) -> None:
        progress = self.progress()
        progress.begin("securing", 10, "connections")
        self.take()
        self.now = 0.05
        progress.update(4)
        self.assertEqual(self.take(), "")
        self.now = 0.1
        progress.update(4)
        self.assertIn("4 of 10", self.line())

    def test_no_figure_is_cut_whatever_the_width(self) -> None:
        for width in (20, 40, 80, 200):
            progress = self.progress("starttls, baseline (1 of 10)", width)
            progress.begin("securing", 2000, "connections")
            self.now += 3.0
            progress.update(812, "2 failed")
            line = self.line()
            self.assertLess(len(line), width)
            self.assertIn(" 812 of 2,000", line)
            self.assertEqual("0:04 left" in line, width >= 40, line)
            self.assertEqual("2 failed" in line, width >= 80, line)
            progress.clear()

    def test_a_phase_of_known_duration_shows_what_is_left_of_it(self) -> None:
        progress = self.progress()
        progress.begin("sending", seconds=5.0)
        self.now = 2.0
        progress.update(0, "4.0 MB/s")
        self.assertRegex(self.line(), r"^pair: sending  ━+╸? +0:03 left  4.0 MB/s")

    def test_a_line_that_is_said_stays_above_it(self) -> None:
        progress = self.progress()
        progress.begin("installing")
        self.take()
        progress.say("installed in 7 s")
        text = self.take()
        self.assertIn("\x1b[2K", text, "the line is still there")
        self.assertTrue(text.endswith("pair: installed in 7 s\n"))

    def test_the_cursor_is_hidden_and_restored(self) -> None:
        progress = self.progress()
        progress.begin("securing")
        self.assertIn("\x1b[?25l", self.take())
        progress.clear()
        restored = self.take()
        self.assertIn("\x1b[?25h", restored)
        self.assertIn("\x1b[2K", restored, "the line is still there")
        progress.clear()
        self.assertEqual(self.take(), "")

    def test_standard_output_is_left_alone(self) -> None:
        before = sys.stdout
        self.progress().begin("securing")
        self.assertIs(sys.stdout, before)

    def test_no_thread_updates_it_in_the_background(self) -> None:
        before = threading.active_count()
        self.progress().begin("securing")
        self.assertEqual(threading.active_count(), before)


class StandardError(SynchronousTestCase):
    def test_is_the_one_of_the_process(self) -> None:
        file = io.StringIO()
        self.patch(sys, "stderr", file)
        Progress(standard_error(), "sample").begin("starting")
        self.assertEqual(file.getvalue(), "sample: starting\n")
