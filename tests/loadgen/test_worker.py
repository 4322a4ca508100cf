from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, task
from tests.support import MemoryTransport, certificates
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.worker import LAG_PERIOD, REPORT_EVERY, Worker
from tlsdemo.net.child_process import environment
from tlsdemo.reporting.latencies import LAG, Latencies


def real_task(**changes: Any) -> Task:
    client = certificates().client
    files = {
        "certificate": str(client.certificate),
        "key": str(client.key),
        "authority": str(client.authority),
    }
    return task(**files, **changes)


class WorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.reactor.running = True
        self.output = StringTransport()
        self.worker = Worker(self.reactor, self.reactor.seconds, lambda: 0.5)
        self.worker.makeConnection(self.output)

    def receive(self, **message: object) -> None:
        self.worker.dataReceived(json.dumps(message).encode() + b"\n")

    def receive_task(self, **changes: Any) -> None:
        self.receive(tasks=[real_task(**changes).as_json()])

    def accept(self) -> list[MemoryTransport]:
        return [attempt.accept() for attempt in self.reactor.attempts()]

    def reports(self) -> list[dict[str, Any]]:
        lines = self.output.value().splitlines()
        self.output.clear()
        return [json.loads(line) for line in lines]

    def report(self) -> dict[str, Any]:
        self.reports()
        self.reactor.advance(REPORT_EVERY)
        (report,) = self.reports()
        return report

    def test_it_reports_that_it_is_ready_as_soon_as_it_has_its_task(self) -> None:
        self.receive_task()
        self.assertEqual([report["state"] for report in self.reports()], ["ready"])
        self.assertEqual(self.reactor.attempts(), [])

    def test_it_reports_periodically(self) -> None:
        self.receive_task(connections=2)
        self.receive(do="open")
        report = self.report()
        self.assertEqual(report["state"], "connecting")
        self.assertEqual(report["counters"]["begun"], 2)
        self.assertNotIn("peers", report)

    def test_it_reports_when_every_connection_is_settled(self) -> None:
        self.receive_task(connections=2)
        self.receive(do="open")
        one, other = self.reactor.attempts()
        one.accept()
        self.assertEqual(self.report()["state"], "connecting")
        other.refuse()
        self.reactor.advance(0)
        (report,) = self.reports()
        self.assertEqual(report["state"], "settled")
        self.assertEqual(report["counters"]["failed"], {"connection refused": 1})

    def test_it_says_how_busy_it_is_while_it_opens_connections(self) -> None:
        self.receive_task()
        self.reports()
        self.receive(do="open")
        (report,) = self.reports()
        self.assertEqual((report["window"], report["resting"]), (0, False))
        self.reactor.advance(10 * LAG_PERIOD)
        self.accept()
        self.reactor.advance(0)
        *_, report = self.reports()
        self.assertEqual((report["state"], report["resting"]), ("settled", False))
        measured = Latencies.from_json(report["latencies"]["0"])
        self.assertGreater(measured.at(LAG, 100.0) or 0.0, 8 * LAG_PERIOD)
        report = self.report()
        self.assertEqual((report["resting"], "lag" in report["latencies"]), (True, False))

    def test_the_command_begin_starts_the_senders(self) -> None:
        self.receive_task(packets=3)
        self.receive(do="open")
        (transport,) = self.accept()
        self.receive(do="begin", windows=[Window().as_json()])
        self.reactor.advance(0)
        self.assertEqual(transport.take(), b"x" * 30)

    def at_a_rate(self) -> MemoryTransport:
        """Begin a window with a packet now, and one after each of the next two seconds."""
        self.receive_task()
        self.receive(do="open")
        (transport,) = self.accept()
        self.receive(do="begin", windows=[Window(rate=1.0, seconds=3.0).as_json()])
        self.reactor.pump([0.0, 1.0])
        return transport

    def test_all_of_a_window_is_done_even_if_the_command_rest_comes_too_early(self) -> None:
        transport = self.at_a_rate()
        self.receive(do="rest")
        self.assertFalse(self.report()["resting"])
        self.reactor.pump([1.0, 1.0])
        self.assertTrue(self.reports()[-1]["resting"])
        self.assertEqual(transport.take(), b"x" * 30)

    def test_a_window_that_is_cut_short_is_not_ended_later(self) -> None:
        transport = self.at_a_rate()
        self.receive(do="rest")
        self.receive(do="begin", windows=[Window(2, rate=0.1, seconds=30.0).as_json()])
        self.reactor.pump([0.0, 1.0, 1.0, 1.0])
        self.assertEqual(transport.take(), b"x" * 30)
        self.assertFalse(self.reports()[-1]["resting"])

    def test_a_load_that_is_finished_does_not_wait_for_the_end_of_its_window(self) -> None:
        transport = self.at_a_rate()
        self.receive(do="rest")
        self.receive(do="finish")
        self.assertTrue(transport.disconnecting)
        transport.turn()
        self.reactor.pump([1.0, 1.0])
        self.assertEqual(transport.take(), b"x" * 20)

    def test_the_command_finish_closes_cleanly(self) -> None:
        self.receive_task()
        self.receive(do="open")
        (transport,) = self.accept()
        self.receive(do="finish")
        self.assertTrue(transport.disconnecting)
        self.assertFalse(transport.aborted)

    def test_the_command_abort_aborts(self) -> None:
        self.receive_task()
        self.receive(do="open")
        (transport,) = self.accept()
        self.receive(do="abort")
        self.assertTrue(transport.aborted)

    def test_its_last_report_has_the_peers(self) -> None:
        self.receive_task()
        self.receive(do="open")
        (transport,) = self.accept()
        self.receive(do="finish")
        transport.turn()
        report = self.report()
        self.assertEqual((report["state"], report["peers"]), ("over", ["192.0.2.2:2"]))
        self.reactor.advance(10 * REPORT_EVERY)
        self.assertEqual(self.reports(), [])

    def test_it_is_over_if_it_finishes_before_it_opens(self) -> None:
        self.receive_task()
        self.receive(do="finish")
        self.assertEqual(self.report()["state"], "over")

    def test_it_exits_when_its_input_ends(self) -> None:
        self.receive_task()
        self.worker.connectionLost()
        self.assertTrue(self.reactor.hasStopped)

    def test_it_does_not_stop_a_stopped_reactor(self) -> None:
        self.reactor.running = False
        self.worker.connectionLost()
        self.assertFalse(self.reactor.hasStopped)


class Process(SynchronousTestCase):
    """A real worker process."""

    def start(self) -> Any:
        process = subprocess.Popen(
            [sys.executable, "-m", "tlsdemo.loadgen.worker"], env=environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        for cleanup in (watchdog.cancel, process.communicate, process.kill):
            self.addCleanup(cleanup)
        return process

    def end(self, process: Any, last: bytes = b"") -> tuple[bytes, bytes]:
        output: tuple[bytes, bytes] = process.communicate(last, timeout=30)
        return output

    def test_it_exits_with_its_input_and_prints_nothing(self) -> None:
        process = self.start()
        self.assertEqual(self.end(process), (b"", b""))
        self.assertEqual(process.returncode, 0)

    def test_it_ignores_ctrl_c(self) -> None:
        process = self.start()
        process.stdin.write(json.dumps({"tasks": [real_task().as_json()]}).encode() + b"\n")
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())["state"], "ready")
        process.send_signal(signal.SIGINT)
        process.stdin.write(b'{"do": "finish"}\n')
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())["state"], "over")
        self.assertEqual(self.end(process), (b"", b""))
        self.assertEqual(process.returncode, 0)

    def test_an_exception_is_the_last_line_that_it_prints(self) -> None:
        process = self.start()
        impossible = json.dumps({"tasks": [real_task(server_name="").as_json()]}).encode()
        output, errors = self.end(process, impossible + b"\n")
        self.assertEqual(output, b"")
        self.assertIn(b"server_name", errors.strip().splitlines()[-1])
