from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.testing import StringTransport

from tests.net.fake_processes import FakeProcess, FakeProcessStarter
from tests.proxy.fakes import server_settings
from tests.proxy.memory_server import MemoryReactor, ServerInMemory
from tlsdemo.proxy import workers as module
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.worker_process import ANSWER_WITHIN
from tlsdemo.proxy.workers import RESTART_DELAYS, Workers
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import ClientAuth, ModeName


class ProcessReactor(FakeProcessStarter, MemoryReactor):
    """A reactor without sockets and processes."""


class FakeListeners:
    closed = False

    def __init__(self, _reactor: object, where: Sequence[str], count: int) -> None:
        self.count = count

    def addresses(self) -> list[IPv4Address]:
        return [IPv4Address("TCP", "192.0.2.1", 8899)]

    def endpoints(self) -> list[str]:
        return ["adopted:INET:3"]

    def descriptors(self, index: int) -> list[int]:
        return [40 + index]

    def close(self) -> Deferred[None]:
        self.closed = True
        return succeed(None)


class WorkersCase(ServerInMemory):
    reactor: Any

    def setUp(self) -> None:
        self.reactor = ProcessReactor()
        self.patch(module, "SharedListeners", FakeListeners)
        self.settings = server_settings(
            ModeName.CLEAR,
            None,
            64,
            ClientAuth.NONE,
            listen=["tcp:8899"],
            handler=HandlerName.SINK,
            status="tcp:8898:interface=127.0.0.1",
            interval=5.0,
            drain=3.0,
        )
        self.workers = Workers(
            self.settings, self.reactor, 2, lambda index, listen: ["worker", str(index), *listen],
            lambda: 0.5,
        )  # fmt: skip
        self.workers.privilegedStartService()
        with self.lines() as self.start_lines:
            self.workers.startService()

    @property
    def processes(self) -> list[FakeProcess]:
        return self.reactor.processes  # type: ignore[no-any-return]

    def answer(self, process: FakeProcess, **answer: object) -> None:
        process.protocol.outReceived(json.dumps(answer).encode() + b"\n")

    def count(self, process: FakeProcess, **counters: Any) -> None:
        self.answer(process, statistics=Snapshot(**counters).as_json())

    def asked(self, process: FakeProcess) -> list[Any]:
        return [json.loads(line) for line in process.written.splitlines()]

    def end(self) -> Any:
        """Stop the server, and return the Deferred of it."""
        return self.workers.stopService()


class StartTests(WorkersCase):
    def test_it_starts_the_workers_and_says_how_many(self) -> None:
        self.assertEqual(
            [each.arguments for each in self.processes],
            [["worker", "0", "adopted:INET:3"], ["worker", "1", "adopted:INET:3"]],
        )
        self.assertEqual(
            self.start_lines,
            ["listening on tcp:192.0.2.1:8899; mode clear, dialect immediate, delivery record, "
             "role sink, 2 workers"],
        )  # fmt: skip

    def test_a_reload_reaches_all(self) -> None:
        self.workers.reload()
        self.assertEqual([each.signals for each in self.processes], [["HUP"], ["HUP"]])

    def test_what_a_worker_logs_is_logged_with_its_number(self) -> None:
        line = json.dumps({"level": "info", "text": "hello"}).encode()
        with self.lines() as lines:
            self.processes[1].protocol.errReceived(line + b"\n")
        self.assertEqual(lines, ["worker 2: hello"])


class CountingTests(WorkersCase):
    def test_the_statistics_are_the_sum(self) -> None:
        with self.lines() as lines:
            self.reactor.advance(5)
            self.assertEqual([self.asked(each) for each in self.processes],
                             [[{"ask": "statistics"}]] * 2)  # fmt: skip
            self.count(self.processes[0], open=1, secured=2, bytes_in=20, events=2, lag=0.25)
            self.count(self.processes[1], open=3, secured=4, bytes_in=40, events=4)
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0].startswith("open 4, secured 6, failed 0; cleartext 60 bytes "))
        self.assertTrue(lines[0].endswith("6 events, 10.0 bytes and 0.0 records an event; "
                                          "greatest lag 250 ms"))  # fmt: skip

    def test_a_worker_that_does_not_answer_is_left_out(self) -> None:
        with self.lines() as lines:
            self.reactor.advance(5)
            self.count(self.processes[0], secured=2)
            self.reactor.advance(ANSWER_WITHIN)
        self.assertTrue(lines[0].startswith("open 0, secured 2, "))
        # A late answer is not taken for that to the next question.
        self.count(self.processes[1], secured=5)
        self.reactor.advance(5)
        for each in self.processes:
            self.assertEqual([asked["ask"] for asked in self.asked(each)],
                             ["statistics", "alive", "statistics"])  # fmt: skip
            self.answer(each)
        self.count(self.processes[1], secured=6)
        with self.lines() as lines:
            self.count(self.processes[0], secured=2)
        self.assertTrue(lines[0].startswith("open 0, secured 8, "))

    def test_the_status_service_answers_for_all(self) -> None:
        protocol = self._factory(8898).buildProtocol(None)
        transport: Any = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(b'{"ask": "statistics"}\n{"ask": "nothing"}\n')
        self.assertEqual(transport.value(), b"")
        for each in self.processes:
            self.count(each, opened=2, cpu=1.0)
        answers = [json.loads(line) for line in transport.value().splitlines()]
        self.assertEqual(answers[0]["statistics"]["opened"], 4)
        self.assertEqual(answers[0]["statistics"]["cpu"], 2.5)
        self.assertEqual(answers[0]["listening"], ["tcp:192.0.2.1:8899"])
        self.assertIn("error", answers[1])

    def test_the_totals_of_a_run_are_the_sum_and_its_end_is_logged(self) -> None:
        protocol = self._factory(8898).buildProtocol(None)
        transport: Any = StringTransport()
        protocol.makeConnection(transport)
        query = {"ask": "run", "name": "x", "sent": 30, "peers": ["a", "b", "c"]}
        protocol.dataReceived(json.dumps(query).encode() + b"\n")
        self.assertEqual(self.asked(self.processes[0])[-1],
                         {"ask": "totals", "peers": ["a", "b", "c"]})  # fmt: skip
        totals = {"received": 10, "arrived": 10, "open": 0, "failed": 0, "unknown": 2}
        self.answer(self.processes[0], totals=totals)
        with self.lines() as lines:
            self.answer(self.processes[1], totals=totals)
        self.assertEqual(json.loads(transport.value())["run"],
                         {**totals, "received": 20, "arrived": 20, "unknown": 1})  # fmt: skip
        self.assertEqual(lines, ["run x: sent 30, received 20, lost 10 bytes"])

    def test_the_lag_is_what_was_answered_to_this_question(self) -> None:
        with self.lines() as lines:
            self.reactor.advance(5)
            self.count(self.processes[0], secured=2, lag=0.25)
            # What the pages ask between has a lag of its own.
            worker = self.workers.processes[0]
            worker.snapshot = Snapshot(secured=2, lag=0.0)
            self.count(self.processes[1], secured=1, lag=0.125)
        self.assertIn("greatest lag 250 ms", lines[0])

    def test_a_client_that_goes_away_gets_no_answer(self) -> None:
        protocol = self._factory(8898).buildProtocol(None)
        transport: Any = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(b'{"ask": "statistics"}\n')
        protocol.connectionLost()
        for each in self.processes:
            self.count(each)
        self.assertEqual(transport.value(), b"")


class EndTests(WorkersCase):
    def test_a_worker_that_ends_is_replaced_and_its_connections_are_counted(self) -> None:
        self.reactor.advance(5)
        self.count(self.processes[0], opened=5, open=2, secured=5, clean=3)
        self.count(self.processes[1], opened=1, open=1)
        self.reactor.advance(5)
        with self.lines() as lines:
            self.processes[0].die(signal=9)
        self.assertIn(
            "worker 1 ended by signal 9; its 2 open connections are lost, and it is replaced now",
            lines,
        )
        self.reactor.advance(0)
        self.assertEqual(self.processes[2].arguments, ["worker", "0", "adopted:INET:3"])
        total = self.workers.total()
        self.assertEqual((total.opened, total.open, total.clean), (6, 1, 3))
        self.assertEqual(total.failed, {"worker ended": 2})

    def test_a_worker_that_is_asked_again_as_it_ends_is_replaced(self) -> None:
        worker = self.workers.processes[0]
        again = worker.ask(dict, ask="x").addErrback(lambda _: worker.ask(dict, ask="x"))
        worker.ask(dict, ask="x").addErrback(lambda _: None)
        with self.lines():
            self.processes[0].die(signal=9)
        self.failureResultOf(again, CancelledError)
        self.reactor.advance(RESTART_DELAYS[1])
        self.assertEqual(len(self.processes), 3)

    def test_a_worker_that_ends_early_again_and_again_has_to_wait(self) -> None:
        for delay in (1, 5, 30, 30):
            with self.lines() as lines:
                self.processes[-1].die(status=1)
            text = "worker 2 exited with status 1; its 0 open connections are lost"
            self.assertEqual(lines, [f"{text}, and it is replaced in {delay} s"])
            started = len(self.processes)
            self.reactor.advance(delay - 0.1)
            self.assertEqual(len(self.processes), started)
            self.reactor.advance(0.1)
            self.assertEqual(len(self.processes), started + 1)

    def test_it_stops_when_all_workers_have_and_tells_what_they_did(self) -> None:
        with self.lines() as lines:
            stopped = self.end()
            self.assertEqual([each.signals for each in self.processes], [["TERM"], ["TERM"]])
            self.assertTrue(self.workers._listeners.closed)  # type: ignore[attr-defined]
            for each in self.processes:
                final = Snapshot(opened=2, secured=2, clean=2, bytes_in=5).as_json()
                self.answer(each, final={"statistics": final, "open_at_stop": 1, "lag": 0.5})
                self.assertNoResult(stopped)
                each.die()
        self.successResultOf(stopped)
        self.assertEqual(lines[0], "summary: 4 connections, 4 secured, 4 ended in order, failed 0, "
                         "2 open when it was stopped")  # fmt: skip
        self.assertIn("greatest lag 500 ms, CPU 0.50 s", lines[2])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_a_worker_that_does_not_stop_is_killed(self) -> None:
        self.end()
        self.reactor.advance(13)
        self.assertEqual([each.signals for each in self.processes], [["TERM", "KILL"]] * 2)

    def test_no_worker_is_replaced_while_it_stops(self) -> None:
        self.processes[0].die(status=1)
        self.end()
        self.reactor.advance(2)
        self.assertEqual(len(self.processes), 2)
