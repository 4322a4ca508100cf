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
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.worker import REPORT_EVERY, Worker
from tlsdemo.net.child_process import environment


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
        self.worker = Worker(self.reactor)
        self.worker.makeConnection(self.output)

    def tell(self, **message: object) -> None:
        self.worker.dataReceived(json.dumps(message).encode() + b"\n")

    def told(self, **changes: Any) -> None:
        self.tell(task=real_task(**changes).as_json())

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

    def test_it_says_that_it_is_ready_as_soon_as_it_has_its_task(self) -> None:
        self.told()
        self.assertEqual([report["state"] for report in self.reports()], ["ready"])
        self.assertEqual(self.reactor.attempts(), [])

    def test_it_reports_from_time_to_time(self) -> None:
        self.told(connections=2)
        self.tell(do="open")
        report = self.report()
        self.assertEqual(report["state"], "connecting")
        self.assertEqual(report["counters"]["begun"], 2)
        self.assertNotIn("peers", report)

    def test_it_says_when_every_connection_is_settled(self) -> None:
        self.told(connections=2)
        self.tell(do="open")
        one, other = self.reactor.attempts()
        one.accept()
        self.assertEqual(self.report()["state"], "connecting")
        other.refuse()
        report = self.report()
        self.assertEqual(report["state"], "settled")
        self.assertEqual(report["counters"]["failed"], {"connecting failed": 1})

    def test_it_sends_when_it_is_told_to(self) -> None:
        self.told(packets=3)
        self.tell(do="open")
        (transport,) = self.accept()
        self.tell(do="send")
        self.reactor.advance(0)
        self.assertEqual(transport.take(), b"x" * 30)

    def test_it_closes_in_order_when_it_is_to_finish(self) -> None:
        self.told()
        self.tell(do="open")
        (transport,) = self.accept()
        self.tell(do="finish")
        self.assertTrue(transport.disconnecting)
        self.assertFalse(transport.aborted)

    def test_it_closes_at_once_when_it_is_to_abort(self) -> None:
        self.told()
        self.tell(do="open")
        (transport,) = self.accept()
        self.tell(do="abort")
        self.assertTrue(transport.aborted)

    def test_its_last_report_has_the_peers(self) -> None:
        self.told()
        self.tell(do="open")
        (transport,) = self.accept()
        self.tell(do="finish")
        transport.turn()
        report = self.report()
        self.assertEqual((report["state"], report["peers"]), ("over", ["192.0.2.2:2"]))
        self.reactor.advance(10 * REPORT_EVERY)
        self.assertEqual(self.reports(), [])

    def test_finishing_before_opening_it_is_over(self) -> None:
        self.told()
        self.tell(do="finish")
        self.assertEqual(self.report()["state"], "over")

    def test_it_ends_with_its_input(self) -> None:
        self.told()
        self.worker.connectionLost()
        self.assertTrue(self.reactor.hasStopped)

    def test_it_ends_once(self) -> None:
        self.reactor.running = False
        self.worker.connectionLost()
        self.assertFalse(self.reactor.hasStopped)


class Process(SynchronousTestCase):
    """The real thing, which the crew starts."""

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

    def test_it_ends_with_its_input_and_without_a_word(self) -> None:
        process = self.start()
        self.assertEqual(self.end(process), (b"", b""))
        self.assertEqual(process.returncode, 0)

    def test_ctrl_c_is_for_the_crew_to_understand(self) -> None:
        process = self.start()
        process.stdin.write(json.dumps({"task": real_task().as_json()}).encode() + b"\n")
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())["state"], "ready")
        process.send_signal(signal.SIGINT)
        process.stdin.write(b'{"do": "finish"}\n')
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())["state"], "over")
        self.assertEqual(self.end(process), (b"", b""))
        self.assertEqual(process.returncode, 0)

    def test_what_it_cannot_do_is_its_last_word(self) -> None:
        process = self.start()
        impossible = json.dumps({"task": real_task(server_name="").as_json()}).encode()
        output, errors = self.end(process, impossible + b"\n")
        self.assertEqual(output, b"")
        self.assertIn(b"DNS-ID", errors.strip().splitlines()[-1])
