from __future__ import annotations

import errno
import io
import os
import sys

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.standard_output import guarded, show


class Guarded(SynchronousTestCase):
    def setUp(self) -> None:
        self.output = io.StringIO()
        self.errors = io.StringIO()
        self.patch(sys, "stdout", self.output)
        self.patch(sys, "stderr", self.errors)

    def end_with(self, problem: OSError) -> tuple[int, str]:
        def run() -> int:
            raise problem

        return guarded("try", run), self.errors.getvalue()

    def test_the_status_is_that_of_the_command(self) -> None:
        self.assertEqual(guarded("try", lambda: 7), 7)

    def test_a_full_disk_is_one_line(self) -> None:
        problem = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        line = "try: cannot write to standard output: No space left on device\n"
        self.assertEqual(self.end_with(problem), (2, line))

    def test_a_file_on_a_full_disk_is_named(self) -> None:
        problem = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/x")
        line = "try: cannot write to '/tmp/x': No space left on device\n"
        self.assertEqual(self.end_with(problem), (2, line))

    def test_a_reader_that_has_quit_is_told_nothing(self) -> None:
        self.assertEqual(self.end_with(BrokenPipeError(errno.EPIPE, "Broken pipe")), (141, ""))

    def test_other_errors_are_raised(self) -> None:
        self.assertRaises(FileNotFoundError, self.end_with, FileNotFoundError(2, "no such"))

    def test_closed_output_is_found_before_the_command_runs(self) -> None:
        self.patch(sys, "stdout", None)
        self.assertEqual(guarded("try", lambda: self.fail("it ran")), 2)
        line = "try: cannot write to standard output: it is closed\n"
        self.assertEqual(self.errors.getvalue(), line)

    def test_without_standard_error_only_the_status_says_so(self) -> None:
        self.patch(sys, "stdout", None)
        self.patch(sys, "stderr", None)
        self.assertEqual(guarded("try", lambda: 0), 2)

    def test_a_text_is_shown_before_the_process_exits(self) -> None:
        exit_ = self.assertRaises(SystemExit, show, "try", "help")
        self.assertEqual((exit_.code, self.output.getvalue()), (0, "help\n"))
