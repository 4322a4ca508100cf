from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.end_to_end.processes import ProcessHandles
from tlsdemo.net import command
from tlsdemo.net.command import CommandFailed, CompletedCommand, run_command


class RunCommand(SynchronousTestCase):
    def python(self, code: str, timeout: float = 60.0, **options: Any) -> CompletedCommand:
        return run_command([sys.executable, "-S", "-c", code], timeout, **options)

    def test_returns_the_status_and_the_output_of_both_streams(self) -> None:
        done = self.python("import sys; print('a', flush=True); sys.stderr.write('b'); sys.exit(3)")
        self.assertEqual((done.status, done.output.split()), (3, ["a", "b"]))

    def test_can_leave_standard_error_out(self) -> None:
        done = self.python("import sys; print('a')", separate_errors=True)
        self.assertEqual(done, CompletedCommand(0, "a\n"))

    def test_hands_on_each_line_when_it_is_printed(self) -> None:
        lines: list[str] = []
        done = self.python("print('a'); print('b'); print('c', end='')", line=lines.append)
        self.assertEqual((lines, done.output), (["a", "b"], "a\nb\nc"))

    def test_gives_a_program_that_has_closed_its_output_no_more_time(self) -> None:
        code = "import os, time; os.close(1); os.close(2); time.sleep(99)"
        self.assertRaises(CommandFailed, self.python, code, timeout=1.0)

    def test_gives_the_program_no_input(self) -> None:
        self.assertEqual(self.python("import sys; print(sys.stdin.read())").output, "\n")

    def test_uses_the_working_directory_and_the_environment_that_are_given(self) -> None:
        cwd = Path(self.mktemp()).absolute()
        cwd.mkdir()
        code = "import os; print(os.getcwd()); print(os.environ['COLOUR'])"
        done = self.python(code, cwd=cwd, env={**os.environ, "COLOUR": "red"})
        self.assertEqual(done.output.splitlines(), [str(cwd.resolve()), "red"])

    def test_when_interrupted_kills_the_program_and_all_that_it_has_started(self) -> None:
        if not hasattr(os, "pidfd_open"):
            raise SkipTest("Python has no os.pidfd_open here, with which to wait for others")
        code = (
            "import subprocess, sys, time\n"
            "sleep = [sys.executable, '-S', '-c', 'import time; time.sleep(99)']\n"
            "child = subprocess.Popen(sleep)\n"
            "open(sys.argv[1], 'w').write(f'{child.pid}.')\n"
            "time.sleep(99)"
        )
        path = Path(self.mktemp()).absolute()
        self.patch(command, "REPORT_EVERY", 0.01)
        waited: list[float] = []
        grandchildren: list[ProcessHandles] = []

        def waiting(seconds: float) -> None:
            waited.append(seconds)
            if path.exists() and (text := path.read_text()).endswith("."):
                grandchildren.append(ProcessHandles([int(text[:-1])]))
                raise KeyboardInterrupt

        arguments = [sys.executable, "-S", "-c", code, str(path)]
        self.assertRaises(KeyboardInterrupt, run_command, arguments, 60.0, waiting=waiting)
        self.addCleanup(grandchildren[0].kill)
        self.assertEqual(grandchildren[0].still_running(), [])
        self.assertEqual(waited, sorted(waited))

    def test_kills_what_an_exited_program_has_left_on_its_pipe(self) -> None:
        if not hasattr(os, "pidfd_open"):
            raise SkipTest("Python has no os.pidfd_open here, with which to wait for others")
        path = Path(self.mktemp()).absolute()
        code = (
            "import subprocess, sys\n"
            "sleep = [sys.executable, '-S', '-c', 'import time; time.sleep(99)']\n"
            f"child = subprocess.Popen(sleep); open({str(path)!r}, 'w').write(f'{{child.pid}}.')"
        )
        self.patch(command, "REPORT_EVERY", 0.01)
        grandchildren: list[ProcessHandles] = []

        def waiting(_seconds: float) -> None:
            if path.exists() and (text := path.read_text()).endswith("."):
                grandchildren.append(ProcessHandles([int(text[:-1])]))
                raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, self.python, code, waiting=waiting)
        self.addCleanup(grandchildren[0].kill)
        self.assertEqual(grandchildren[0].still_running(), [])

    def test_kills_no_process_group_whose_leader_has_been_reaped(self) -> None:
        def interrupted(process: subprocess.Popen[bytes], *_: object) -> None:
            process.wait()
            raise KeyboardInterrupt

        self.patch(command, "_output", interrupted)
        self.patch(os, "killpg", lambda *_: self.fail("its number may belong to others now"))
        self.assertRaises(KeyboardInterrupt, self.python, "")

    def test_lets_the_program_clean_up_before_it_is_killed(self) -> None:
        path = Path(self.mktemp()).absolute()
        code = (
            "import signal, sys, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
            "try: open(sys.argv[1], 'w').close(); print('ready', flush=True); time.sleep(99)\n"
            "finally: import os; os.remove(sys.argv[1])"
        )

        def interrupt(_line: str) -> None:
            self.assertTrue(path.exists())
            raise KeyboardInterrupt

        command = [sys.executable, "-S", "-c", code, str(path)]
        self.assertRaises(KeyboardInterrupt, run_command, command, 60.0, line=interrupt)
        self.assertFalse(path.exists())

    def test_kills_a_program_that_does_not_end_or_does_not_stop_writing(self) -> None:
        self.patch(command, "END_WITHIN", 0.05)

        def interrupt(_line: str) -> None:
            raise KeyboardInterrupt

        for rest in ("time.sleep(99)", "[print('more', flush=True) for _ in iter(int, 1)]"):
            code = (
                "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                f"print('ready', flush=True); {rest}"
            )
            self.assertRaises(KeyboardInterrupt, self.python, code, line=interrupt)

    def test_fails_if_the_program_does_not_end_in_time(self) -> None:
        problem = self.assertRaises(
            CommandFailed, self.python, "import time; time.sleep(99)", timeout=0.05
        )
        self.assertEqual(str(problem), f"{sys.executable} did not end within 0 s")

    def test_fails_if_the_program_cannot_be_started(self) -> None:
        problem = self.assertRaises(CommandFailed, run_command, ["/nowhere/x"], 1.0)
        self.assertEqual(str(problem), "cannot start /nowhere/x: No such file or directory")
