import io
import threading

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.progress import Progress

CONNECTING = LoadCounters(begun=7, secured=4, clean=1, failed={"truncated": 2})


class Shown:
    """A progress on a console whose output is captured."""

    def __init__(self, terminal: bool, width: int = 120, title: str = "pair") -> None:
        self._file = io.StringIO()
        console = Console(file=self._file, force_terminal=terminal, width=width, color_system=None)
        self.progress = Progress(console, title, 10)
        self.progress.start()

    def take(self) -> str:
        text = self._file.getvalue()
        self._file.seek(0)
        self._file.truncate()
        return text


class WithoutATerminal(SynchronousTestCase):
    def test_a_line_has_the_counters(self) -> None:
        shown = Shown(terminal=False)
        shown.progress.show("connecting", CONNECTING, 1.5)
        self.assertEqual(
            shown.take(),
            "pair   1.5s connecting: 7/10 begun, 4 secured, 2 failed, 3 closed, 0.0 MB sent\n",
        )

    def test_the_rate_is_measured_from_the_start_of_sending(self) -> None:
        shown = Shown(terminal=False)
        shown.progress.show("connecting", LoadCounters(), 1.0)
        shown.progress.show("sending", LoadCounters(sent=1_000_000), 10.0)
        self.assertIn("1.0 MB sent at 0.0 MB/s\n", shown.take())
        shown.progress.show("sending", LoadCounters(sent=7_000_000), 12.0)
        self.assertIn("7.0 MB sent at 3.0 MB/s\n", shown.take())

    def test_a_new_phase_has_a_line_at_once_and_then_one_every_two_seconds(self) -> None:
        shown = Shown(terminal=False)
        lines = []
        for phase, elapsed in (
            ("connecting", 0.5),
            ("connecting", 2.4),
            ("connecting", 2.5),
            ("sending", 2.6),
            ("sending", 4.5),
            ("sending", 4.7),
            # The clock of a load restarts when its workers have been started.
            ("draining", 0.0),
            ("draining", 1.0),
            ("draining", 2.0),
        ):
            shown.progress.show(phase, LoadCounters(), elapsed)
            if shown.take():
                lines.append((phase, elapsed))
        self.assertEqual(
            lines,
            [
                ("connecting", 0.5),
                ("connecting", 2.5),
                ("sending", 2.6),
                ("sending", 4.7),
                ("draining", 0.0),
                ("draining", 2.0),
            ],
        )

    def test_a_line_is_not_wrapped_on_a_narrow_console(self) -> None:
        shown = Shown(terminal=False, width=20)
        shown.progress.show("connecting", CONNECTING, 1.5)
        self.assertEqual(shown.take().count("\n"), 1)

    def test_a_title_is_not_interpreted_as_markup(self) -> None:
        shown = Shown(terminal=False, title="[bold]")
        shown.progress.show("connecting", CONNECTING, 1.5)
        self.assertTrue(shown.take().startswith("[bold] "))

    def test_no_control_sequences_are_written(self) -> None:
        shown = Shown(terminal=False)
        shown.progress.show("connecting", CONNECTING, 1.5)
        shown.progress.stop()
        self.assertNotIn("\x1b", shown.take())


class OnATerminal(SynchronousTestCase):
    def test_one_line_is_updated(self) -> None:
        shown = Shown(terminal=True)
        shown.take()
        shown.progress.show("connecting", LoadCounters(begun=1), 0.1)
        self.assertIn("1/10 begun", shown.take())
        shown.progress.show("connecting", LoadCounters(begun=2), 0.2)
        again = shown.take()
        self.assertIn("2/10 begun", again)
        self.assertNotIn("\n", again)

    def test_it_is_truncated_to_the_width_of_the_terminal(self) -> None:
        shown = Shown(terminal=True, width=30)
        shown.take()
        shown.progress.show("connecting", LoadCounters(begun=1), 0.1)
        self.assertIn("pair   0.1s connecting: 1/10 …", shown.take())

    def test_the_cursor_is_hidden_and_restored(self) -> None:
        shown = Shown(terminal=True)
        self.assertIn("\x1b[?25l", shown.take())
        shown.progress.show("connecting", LoadCounters(), 0.1)
        shown.take()
        shown.progress.stop()
        restored = shown.take()
        self.assertIn("\x1b[?25h", restored)
        self.assertIn("\x1b[2K", restored, "the line is still there")

    def test_no_thread_updates_it_in_the_background(self) -> None:
        before = threading.active_count()
        shown = Shown(terminal=True)
        self.assertEqual(threading.active_count(), before)
        shown.progress.stop()
