from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

import tlsdemo
from tests.net.fake_processes import FakeProcess, FakeProcessReactor
from tlsdemo.net.child_process import ChildProcess, environment, split_lines


class FakeCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeProcessReactor()

    def started(self, **options: Any) -> tuple[ChildProcess, FakeProcess]:
        child = ChildProcess(self.reactor, ["program", "argument"], **options)
        return child, self.reactor.processes[-1]


class Starting(FakeCase):
    def test_passes_the_arguments_the_environment_and_the_directory(self) -> None:
        child, process = self.started(env={"A": "b"}, cwd=Path("/somewhere"))
        self.assertEqual(process.executable, "program")
        self.assertEqual(process.arguments, ["program", "argument"])
        self.assertEqual(process.env, {"A": "b"})
        self.assertEqual(process.path, "/somewhere")
        self.assertEqual(child.pid, 4711)

    def test_uses_an_environment_that_finds_this_package_unless_told_otherwise(self) -> None:
        _, process = self.started()
        self.assertEqual(process.env, environment())
        self.assertIsNone(process.path)

    def test_an_empty_environment_is_passed_as_it_is(self) -> None:
        self.assertEqual(self.started(env={})[1].env, {})

    def test_passes_descriptors_on_from_3(self) -> None:
        _, process = self.started(descriptors=[40, 7])
        self.assertEqual(process.descriptors, {0: "w", 1: "r", 2: "r", 3: 40, 4: 7})


class Output(FakeCase):
    def test_of_both_streams_is_kept_unless_there_is_a_receiver(self) -> None:
        child, process = self.started()
        process.protocol.outReceived(b"one\n")
        process.protocol.errReceived(b"two\n")
        self.assertEqual(child.output, "one\ntwo\n")
        self.assertEqual(child.last_line, "two")

    def test_goes_to_the_receivers(self) -> None:
        out: list[bytes] = []
        err: list[bytes] = []
        child, process = self.started(stdout=out.append, stderr=err.append)
        process.protocol.outReceived(b"one")
        process.protocol.errReceived(b"two")
        self.assertEqual((out, err), ([b"one"], [b"two"]))
        self.assertEqual(child.output, "")

    def test_without_end_is_cut_at_its_beginning(self) -> None:
        child, process = self.started(keep=100)
        for _ in range(50):
            process.protocol.errReceived(b"x" * 64)
        process.protocol.errReceived(b"the end")
        self.assertEqual(len(child.output), 100)
        self.assertTrue(child.output.endswith("xthe end"))

    def test_that_is_not_utf_8_is_readable_all_the_same(self) -> None:
        child, process = self.started()
        process.protocol.errReceived(b"\xff!")
        self.assertEqual(child.output, "\N{REPLACEMENT CHARACTER}!")

    def test_can_be_received_line_by_line_in_any_chunking(self) -> None:
        data = b"one\n\nthree\nunfinished"
        for size in range(1, len(data) + 1):
            lines: list[bytes] = []
            receive = split_lines(lines.append)
            for start in range(0, len(data), size):
                receive(data[start : start + size])
            self.assertEqual(lines, [b"one", b"", b"three"])

    def test_keeps_no_more_than_the_beginning_of_a_long_line(self) -> None:
        for size in (1, 3, 4, 5, 100):
            lines: list[bytes] = []
            receive = split_lines(lines.append, longest=4)
            data = b"1234567890\n1234\n\nab\n12345"
            for start in range(0, len(data), size):
                receive(data[start : start + size])
            self.assertEqual(lines, [b"1234", b"1234", b"", b"ab"])


class ErrorMessage(FakeCase):
    def test_is_the_last_line_that_was_printed(self) -> None:
        child, process = self.started()
        process.die(b"Traceback\n  more\nValueError: no\n\n", status=1)
        self.assertEqual(child.error_message, "ValueError: no")

    def test_of_a_silent_process_is_its_status_or_its_signal(self) -> None:
        for status, signal_number, expected in (
            (3, None, "exited with status 3"),
            (0, 9, "ended by signal 9 (Killed)"),
        ):
            child, process = self.started()
            process.die(status=status, signal=signal_number)
            self.assertEqual(child.error_message, expected)

    def test_of_a_silent_process_that_runs_is_empty(self) -> None:
        self.assertEqual(self.started()[0].error_message, "")


class Input(FakeCase):
    def test_is_written_and_closed(self) -> None:
        child, process = self.started()
        child.write(b"hello")
        child.close_stdin()
        self.assertEqual((process.written, process.stdin_closed), (b"hello", True))

    def test_after_the_exit_is_dropped(self) -> None:
        child, process = self.started()
        process.exit()
        child.write(b"hello")
        child.close_stdin()
        child.send_signal("INT")
        self.assertEqual((process.written, process.stdin_closed), (b"", False))
        self.assertEqual(process.signals, [])


class Ending(FakeCase):
    def test_is_waited_for_by_any_number_before_and_after(self) -> None:
        child, process = self.started()
        waiting = [child.wait(), child.wait()]
        self.assertIsNone(child.returncode)
        process.die(status=2)
        for each in [*waiting, child.wait()]:
            self.assertEqual(self.successResultOf(each), 2)
        self.assertEqual(child.returncode, 2)

    def test_without_an_error_has_the_code_0(self) -> None:
        child, process = self.started()
        process.die()
        self.assertEqual(child.returncode, 0)

    def test_by_a_signal_has_its_negative_number(self) -> None:
        child, process = self.started()
        process.die(signal=15)
        self.assertEqual(child.returncode, -15)

    def test_comes_when_the_output_is_complete(self) -> None:
        child, process = self.started()
        waiting = child.wait()
        process.exit()
        self.assertNoResult(waiting)
        process.protocol.outReceived(b"last words")
        process.end()
        self.assertEqual(self.successResultOf(waiting), 0)
        self.assertEqual(child.output, "last words")


class Stopping(FakeCase):
    def test_sends_sigterm_and_waits(self) -> None:
        child, process = self.started()
        stopping = child.stop()
        self.assertEqual(process.signals, ["TERM"])
        self.assertNoResult(stopping)
        process.die(signal=15)
        self.assertEqual(self.successResultOf(stopping), -15)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_kills_what_does_not_end_in_time(self) -> None:
        child, process = self.started()
        stopping = child.stop(within=5.0)
        self.reactor.advance(4.9)
        self.assertEqual(process.signals, ["TERM"])
        self.reactor.advance(0.1)
        self.assertEqual(process.signals, ["TERM", "KILL"])
        process.exit(signal=9)
        self.assertEqual(self.successResultOf(stopping), -9)

    def test_does_not_signal_what_has_ended(self) -> None:
        child, process = self.started()
        process.die()
        self.assertEqual(self.successResultOf(child.stop()), 0)
        child.kill()
        self.assertEqual(process.signals, [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_closes_pipes_that_others_hold_open(self) -> None:
        child, process = self.started()
        stopping = child.stop(within=5.0)
        process.exit(signal=15)
        self.assertNoResult(stopping)
        self.reactor.advance(5.0)
        self.assertTrue(process.pipes_closed)
        self.assertEqual(self.successResultOf(stopping), -15)
        self.assertEqual(process.signals, ["TERM"])


class TimingOut(FakeCase):
    def test_kills_the_process(self) -> None:
        child, process = self.started(timeout=3.0)
        self.reactor.advance(2.9)
        self.assertEqual((process.signals, child.timed_out), ([], False))
        self.reactor.advance(0.1)
        self.assertEqual((process.signals, child.timed_out), (["KILL"], True))

    def test_does_not_happen_to_one_that_has_ended(self) -> None:
        child, process = self.started(timeout=3.0)
        process.die()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertFalse(child.timed_out)


class RealProcess(TestCase):
    def python(self, code: str, **options: Any) -> ChildProcess:
        child = ChildProcess(reactor, [sys.executable, "-S", "-c", code], timeout=30.0, **options)
        self.addCleanup(child.stop, 0.0)
        return child

    async def test_echoes_its_input_and_ends_with_it(self) -> None:
        child = self.python("import sys; sys.stdout.write(sys.stdin.read())")
        child.write(b"hello")
        child.close_stdin()
        self.assertEqual(await child.wait(), 0)
        self.assertEqual(child.output, "hello")

    async def test_runs_in_its_directory_with_its_environment(self) -> None:
        lines: list[bytes] = []
        cwd = Path(self.mktemp()).absolute()
        cwd.mkdir()
        child = self.python(
            "import json, os; print(json.dumps([os.getcwd(), os.environ['COLOUR']]))",
            stdout=split_lines(lines.append), cwd=cwd, env={**os.environ, "COLOUR": "red"},
        )  # fmt: skip
        self.assertEqual(await child.wait(), 0)
        self.assertEqual(json.loads(lines[0]), [str(cwd.resolve()), "red"])

    async def test_handles_a_blocked_signal_when_it_unblocks_it(self) -> None:
        child = self.python(
            "import signal; signal.signal(signal.SIGHUP, lambda *_: print('heard', flush=True))\n"
            "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])",
            blocked=[signal.SIGHUP],
        )
        child.send_signal("HUP")
        self.assertEqual((await child.wait(), child.output), (0, "heard\n"))
        self.assertEqual(signal.pthread_sigmask(signal.SIG_BLOCK, []), set())

    async def test_stops_at_sigterm(self) -> None:
        child = self.python("import time; time.sleep(99)")
        self.assertEqual(await child.stop(), -signal.SIGTERM)

    async def test_that_ignores_sigterm_is_killed(self) -> None:
        ready: Deferred[bytes] = Deferred()
        child = self.python(
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "print('ready', flush=True); time.sleep(99)",
            stdout=split_lines(ready.callback),
        )
        await ready
        self.assertEqual(await child.stop(within=0.0), -signal.SIGKILL)

    async def test_has_ended_although_its_own_child_holds_the_pipe(self) -> None:
        ready: Deferred[bytes] = Deferred()
        child = self.python(
            "import subprocess, sys, time\n"
            "code = 'import sys; sys.stdin.read()'\n"
            "subprocess.Popen([sys.executable, '-S', '-c', code])\n"
            "print('ready', flush=True); time.sleep(99)",
            stdout=split_lines(ready.callback),
        )
        await ready
        self.assertEqual(await child.stop(within=0.05), -signal.SIGTERM)

    def test_that_does_not_exist_cannot_be_started(self) -> None:
        self.assertRaises(OSError, ChildProcess, reactor, ["/nowhere/program"])


class Environment(SynchronousTestCase):
    def setUp(self) -> None:
        self.ours = str(Path(tlsdemo.__file__).parent.parent)

    def paths(self, before: str) -> list[str]:
        self.patch(os, "environ", {"PYTHONPATH": before, "HOME": "/home"})
        self.assertEqual(environment()["HOME"], "/home")
        return environment()["PYTHONPATH"].split(os.pathsep)

    def test_has_this_package_before_any_other(self) -> None:
        self.assertEqual(self.paths("/a:/b"), [self.ours, "/a", "/b"])

    def test_does_not_name_it_twice(self) -> None:
        self.assertEqual(self.paths(f"/a:{self.ours}"), [self.ours, "/a"])

    def test_has_no_empty_path_that_would_mean_the_current_directory(self) -> None:
        self.assertEqual(self.paths(""), [self.ours])

    def test_has_a_child_import_this_very_package(self) -> None:
        child = subprocess.run(
            [sys.executable, "-c", "import tlsdemo; print(tlsdemo.__file__)"],
            env=environment(), cwd="/", capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        self.assertEqual(child.stdout.strip(), tlsdemo.__file__)
