from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeStatus
from tests.net.fake_processes import FakeProcess
from tests.support import short_folder
from tlsdemo.cli.launched_server import (
    START_WITHIN,
    STOP_WITHIN,
    CannotLaunch,
    LaunchedServer,
    Place,
)


class LaunchCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.scratch = short_folder(self)
        self.patch(tempfile, "tempdir", str(self.scratch))
        self.reactor = FakeReactor()
        self.server = LaunchedServer(self.reactor, ["--mode=pair"])
        self.status = FakeStatus(
            {"statistics": lambda _: {"statistics": {}, "listening": ["tcp:127.0.0.1:4711"]}}
        )

    def start(self) -> FakeProcess:
        self.starting = self.doing(self.server.start())
        process: FakeProcess
        (process,) = self.reactor.processes
        return process

    def started(self) -> FakeProcess:
        process = self.start()
        self.status.accept(self.reactor.attempts()[-1])
        self.successResultOf(self.starting)
        return process

    def doing(self, what: Coroutine[Deferred[Any], Any, Any]) -> Deferred[Any]:
        return Deferred.fromCoroutine(what)

    def problem(self) -> str:
        text = str(self.failureResultOf(self.starting, CannotLaunch).value)
        self.assertNotIn("\n", text)
        self.assertEqual(list(self.scratch.iterdir()), [])
        return text


class Starting(LaunchCase):
    def test_it_is_twistd_on_a_port_that_the_system_chooses(self) -> None:
        process = self.start()
        self.assertEqual(
            process.arguments,
            [
                *(sys.executable, "-m", "tlsdemo.cli.twistd_child", "-n", "--pidfile=", "tlsdemo"),
                "--listen=tcp:0:interface=127.0.0.1",
                f"--status={self.server.status}",
                "--mode=pair",
            ],
        )

    def test_it_runs_with_the_given_python(self) -> None:
        place = Place("/other/python", {"PYTHONPATH": "/other"})
        self.server = LaunchedServer(self.reactor, ["--mode=pair"], place)
        process = self.start()
        self.assertEqual((process.executable, process.arguments[0]), ("/other/python",) * 2)
        self.assertEqual(process.env, {"PYTHONPATH": "/other"})

    def test_it_has_started_when_its_status_service_answers(self) -> None:
        self.start()
        self.assertNoResult(self.starting)
        (attempt,) = self.reactor.attempts()
        self.status.accept(attempt)
        self.successResultOf(self.starting)
        self.assertEqual(self.server.connect, "tcp:127.0.0.1:4711")
        self.assertEqual(self.server.pid, self.reactor.processes[0].pid)
        self.assertFalse(self.status.connected)

    def test_the_status_service_is_asked_until_it_listens(self) -> None:
        self.start()
        for count in range(1, 4):
            self.assertEqual(len(self.reactor.attempts()), count)
            self.reactor.attempts()[-1].refuse()
            self.reactor.advance(0.05)
        self.status.accept(self.reactor.attempts()[-1])
        self.successResultOf(self.starting)

    def test_a_status_service_that_disconnects_is_asked_again(self) -> None:
        self.start()
        deaf = FakeStatus({})
        deaf.accept(self.reactor.attempts()[-1])
        deaf.loseConnection()
        self.reactor.advance(0.05)
        self.status.accept(self.reactor.attempts()[-1])
        self.successResultOf(self.starting)

    def test_the_path_of_the_status_socket_can_contain_a_colon(self) -> None:
        odd = self.scratch / "a:b"
        odd.mkdir()
        self.patch(tempfile, "tempdir", str(odd))
        self.server = LaunchedServer(self.reactor, [])
        self.start()
        address = self.reactor.unixClients[0][0]
        self.assertEqual(Path(address).parent.parent, odd)

    def test_the_path_of_the_status_socket_is_short_wherever_temporary_files_are(self) -> None:
        long = Path(self.mktemp()).absolute() / ("x" * 100)
        long.mkdir(parents=True)
        self.patch(tempfile, "tempdir", str(long))
        self.server = LaunchedServer(self.reactor, [])
        self.start()
        address = self.reactor.unixClients[0][0]
        self.assertLess(len(os.fsencode(address)), 100)
        self.reactor.processes[0].die()
        self.reactor.attempts()[-1].refuse()
        self.reactor.advance(0.05)
        self.failureResultOf(self.starting, CannotLaunch)
        self.assertFalse(Path(address).parent.exists())

    def test_a_server_that_exits_is_reported_with_its_last_line(self) -> None:
        process = self.start()
        process.protocol.outReceived(b"starting up\n")
        process.die(b"cannot listen on tcp:1\n")
        self.reactor.attempts()[-1].refuse()
        self.reactor.advance(0.05)
        self.assertEqual(self.problem(), "the server did not start: cannot listen on tcp:1")

    def test_a_server_that_the_system_cannot_start_is_reported_and_leaves_nothing(self) -> None:
        def fail(*_arguments: object, **_options: object) -> None:
            raise FileNotFoundError(2, "No such file or directory")

        self.patch(self.reactor, "spawnProcess", fail)
        self.starting = self.doing(self.server.start())
        self.assertEqual(self.problem(), "the server did not start: No such file or directory")

    def test_a_server_that_exits_without_output_is_reported(self) -> None:
        self.start().die()
        self.reactor.attempts()[-1].refuse()
        self.reactor.advance(0.05)
        self.assertEqual(self.problem(), "the server did not start: no output")

    def test_a_server_that_never_answers_is_stopped(self) -> None:
        process = self.start()
        self.reactor.advance(START_WITHIN)
        self.reactor.attempts()[-1].refuse()
        self.reactor.advance(0.05)
        self.assertEqual(process.signals, ["TERM"])
        self.assertNoResult(self.starting)
        process.die()
        self.assertEqual(self.problem(), "the server did not start: no output")


class Stopping(LaunchCase):
    def test_it_is_terminated_and_waited_for(self) -> None:
        process = self.started()
        process.protocol.outReceived(b"one\n")
        stopping = self.doing(self.server.stop())
        self.assertEqual(process.signals, ["TERM"])
        self.assertNoResult(stopping)
        process.protocol.errReceived(b"two\n")
        process.die()
        self.assertEqual(self.successResultOf(stopping), "one\ntwo\n")
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_a_server_that_does_not_exit_is_killed(self) -> None:
        process = self.started()
        stopping = self.doing(self.server.stop())
        self.reactor.advance(STOP_WITHIN)
        self.assertEqual(process.signals, ["TERM", "KILL"])
        process.die()
        self.successResultOf(stopping)

    def test_a_server_that_has_exited_is_not_signalled(self) -> None:
        process = self.started()
        process.die()
        self.successResultOf(self.doing(self.server.stop()))
        self.assertEqual(process.signals, [])
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_the_end_of_a_long_log_is_kept(self) -> None:
        process = self.started()
        for _ in range(100):
            process.protocol.outReceived(b"x" * 4096)
        process.die(b"the end")
        log = self.successResultOf(self.doing(self.server.stop()))
        self.assertTrue(log.endswith("xthe end"))
        self.assertEqual(len(log), 1 << 16)
