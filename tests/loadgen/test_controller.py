from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from tests.loadgen.controller_case import DURATION, TIMEOUT, ControllerCase
from tests.loadgen.fake_reactor import FakeReactor, task
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.controller import LoadPhase
from tlsdemo.loadgen.plan import find_max
from tlsdemo.loadgen.server_counts import POLL_INTERVAL
from tlsdemo.reporting.probe_result import ProbeResult


class Phases(ControllerCase):
    def test_the_connections_are_divided_among_the_workers(self) -> None:
        self.begin(connections=5, workers=3)
        shares = [worker.messages[0]["tasks"][0]["connections"] for worker in self.workers]
        self.assertEqual(shares, [2, 2, 1])

    def test_nothing_is_opened_before_every_worker_is_ready(self) -> None:
        self.begin()
        self.workers[0].report("ready")
        self.assertEqual(self.commands(), [])
        self.workers[1].report("ready")
        self.assertEqual(self.commands(), ["open"])

    def test_nothing_is_sent_before_every_connection_is_settled(self) -> None:
        self.begin()
        self.report("ready")
        self.workers[0].report("settled")
        self.workers[1].report("connecting")
        self.assertEqual(self.commands(), ["open"])
        self.workers[1].report("settled")
        self.assertEqual(self.commands(), ["open", "begin"])

    def test_sending_ends_after_its_duration(self) -> None:
        self.begin()
        self.to_sending()
        self.reactor.advance(DURATION - 0.5)
        self.assertEqual(self.commands(), ["open", "begin"])
        self.reactor.advance(0.5)
        self.assertEqual(self.commands(), ["open", "begin", "rest"])
        self.report("settled", begun=2, secured=2)
        self.assertEqual(self.commands(), ["open", "begin", "rest", "finish"])

    def test_sending_ends_in_time_although_the_clock_advances_while_the_timer_is_set(self) -> None:
        class SlowReactor(FakeReactor):
            def callLater(self, delay: float, callable: Any, *args: object, **kw: object) -> Any:
                call = super().callLater(delay, callable, *args, **kw)
                self.rightNow += 0.125
                return call

        self.begin(reactor=SlowReactor())
        self.to_sending()
        self.reactor.advance(DURATION - 0.125)
        self.assertEqual(self.commands(), ["open", "begin", "rest"])

    def test_it_is_over_when_every_connection_has_ended(self) -> None:
        self.begin()
        self.to_draining()
        self.workers[0].report("over", peers=[])
        self.assertNoResult(self.running)
        self.workers[1].report("over", peers=[])
        self.result()
        self.assertEqual([worker.stdin_closed for worker in self.workers], [True, True])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_the_progress_callback_gets_the_phases_in_their_order(self) -> None:
        self.begin_with_status()
        self.to_over()
        self.result()
        self.assertEqual(self.phases(), list(LoadPhase))

    def test_the_progress_callback_gets_the_sum_of_the_counters_and_the_time(self) -> None:
        self.reactor.advance(1000)
        self.begin()
        self.to_sending()
        self.reactor.advance(2)
        self.report("settled", begun=2, sent=50)
        phase, counters, elapsed = self.progress[-1]
        self.assertEqual(
            (phase, counters.begun, counters.sent, elapsed), (LoadPhase.SENDING, 4, 100, 2.0)
        )

    def test_with_a_number_of_packets_the_duration_is_ignored(self) -> None:
        self.begin(packets=3)
        self.to_sending()
        self.pass_time(10 * DURATION)
        self.assertEqual(self.commands(), ["open", "begin"])
        self.end(sent=60)
        self.assertTrue(self.result().complete)

    def test_with_a_number_of_packets_a_rate_lasts_until_all_were_sent(self) -> None:
        self.begin(packets=3, rates=[10.0])
        self.to_sending()
        (begun,) = (each for each in self.workers[0].messages if each.get("do") == "begin")
        self.assertEqual(begun["windows"][0]["seconds"], math.inf)
        self.pass_time(2.5 * DURATION)
        self.end(sent=60)
        (window,) = self.result().windows
        self.assertEqual(window.seconds, 2.5 * DURATION)

    def test_when_all_connections_have_ended_it_does_not_wait_for_the_duration(self) -> None:
        self.begin()
        self.to_sending()
        self.end()
        self.result()
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class Result(ControllerCase):
    def test_it_is_complete_if_every_connection_was_closed_cleanly(self) -> None:
        self.begin_with_status()
        self.to_over()
        result = self.result()
        self.assertEqual((result.name, result.connections, result.problem), ("name", 4, None))
        self.assertTrue(result.complete)

    def test_what_came_before_the_load_is_counted_by_itself(self) -> None:
        self.begin()
        self.report("ready")
        self.report("settled", begun=3, secured=2, failed={"truncated": 1})
        self.reactor.advance(DURATION)
        for worker in self.workers:
            counted: dict[str, Any] = {
                "begun": 3,
                "secured": 2,
                "clean": 1,
                "failed": {"truncated": 2},
            }
            worker.report("settled", **counted)
            worker.report("over", peers=[], **counted)
        opening, (window,) = self.result().opening, self.result().windows
        assert opening is not None
        self.assertEqual((opening.counters.begun, opening.counters.failures), (6, 2))
        self.assertEqual((window.open_before, window.counters.failures), (4, 2))
        self.assertEqual(window.failed_share, 0.5)

    def test_a_search_that_finds_nothing_is_not_complete(self) -> None:
        self.begin(plan=find_max(lambda _: False, 0.15, Window(seconds=DURATION)))
        self.to_draining()
        self.report("settled", begun=2, secured=2)
        self.end()
        result = self.result()
        self.assertEqual(result.found, 0)
        self.assertIn(
            "found no rate that holds: 1 windows, from 0.15 to 0.15", result.problem or ""
        )

    def test_it_is_not_complete_if_one_connection_was_not_closed_cleanly(self) -> None:
        self.begin_with_status()
        self.to_over(clean=1)
        self.assertFalse(self.result().complete)

    def test_the_time_until_secure_does_not_include_starting_processes(self) -> None:
        self.begin()
        self.reactor.advance(5)
        self.report("ready")
        self.reactor.advance(2)
        self.report("settled")
        self.reactor.advance(DURATION)
        self.reactor.advance(3)
        self.end()
        result = self.result()
        self.assertEqual((result.securing, result.sending), (2.0, DURATION + 3))

    def test_what_arrived_is_what_the_server_counted(self) -> None:
        self.drained["arrived"] = 90
        self.begin_with_status()
        self.to_over(sent=50)
        self.assertEqual((self.result().arrived, self.result().lost), (90, 10))

    def test_the_request_has_the_bytes_sent_and_the_addresses_of_the_connections(self) -> None:
        self.begin_with_status()
        self.to_over(sent=50)
        asked = [request for request in self.server.requests if request["ask"] == "run"]
        peers = ["127.0.0.1:0", "127.0.0.1:1"]
        self.assertEqual(asked, [{"ask": "run", "name": "name", "sent": 100, "peers": peers}])

    def test_of_connections_whose_addresses_are_not_kept_it_is_not_known(self) -> None:
        for packets, arrived in ((1, None), (0, 90)):
            self.setUp()
            self.drained["arrived"] = 90
            self.begin_with_status(also=(task(scenario="churn", packets=packets),))
            self.to_over(sent=50)
            self.assertEqual(self.result().arrived, arrived)

    def test_snapshots_of_the_server_are_taken_between_the_phases(self) -> None:
        self.begin_with_status()
        self.report("ready")
        self.connections_opened = 4
        self.report("settled")
        self.connections_opened = 5
        self.reactor.advance(DURATION)
        self.end()
        phases = self.result().snapshots
        assert phases is not None
        taken = [each.opened for each in (phases.started, phases.secured, phases.drained)]
        self.assertEqual(taken, [0, 4, 5])

    def test_the_connection_to_the_status_service_is_closed_at_the_end(self) -> None:
        self.begin_with_status()
        self.to_over()
        self.result()
        self.assertFalse(self.server.connected)

    def test_a_server_without_a_status_service_is_not_asked(self) -> None:
        self.begin(status=None)
        self.to_over(sent=50)
        result = self.result()
        self.assertTrue(result.complete)
        self.assertEqual((result.arrived, result.lost, result.snapshots), (None, None, None))


class FakeProbe:
    """Records what it is told; `opened` and `result` are its answers."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.opened: Deferred[None] = Deferred()
        self.result: Deferred[ProbeResult] = Deferred()

    def start(self) -> None:
        self.log.append("start")

    async def open(self, within: float) -> None:
        self.log.append("open")
        await self.opened

    def begin(self, unmeasured: float) -> None:
        self.log.append(f"begin {unmeasured}")

    def rest(self) -> None:
        self.log.append("rest")

    def stop(self) -> None:
        self.log.append("stop")
        self.opened.callback(None)

    async def end(self, within: float, on_problem: Callable[[str], object]) -> ProbeResult:
        self.log.append("end")
        result = await self.result
        if result.problem:
            on_problem(result.problem)
        return result


class WithAProbe(ControllerCase):
    def setUp(self) -> None:
        super().setUp()
        self.probe = FakeProbe()

    def test_it_is_connected_before_the_server_is_asked_for_its_counters(self) -> None:
        self.begin_with_status(probe=self.probe)
        self.report("ready")
        self.assertEqual((self.probe.log, self.commands()), (["start", "open"], []))
        self.connections_opened = 1
        self.probe.opened.callback(None)
        self.assertEqual(self.commands(), ["open"])
        self.report("settled", begun=2, secured=2)
        self.reactor.advance(DURATION)
        self.end()
        self.probe.result.callback(ProbeResult(5.0))
        snapshots = self.result().snapshots
        assert snapshots is not None
        self.assertEqual(snapshots.started.opened, 1)

    def test_it_measures_while_the_load_is_sent_and_is_waited_for_at_the_end(self) -> None:
        self.probe.opened.callback(None)
        self.begin(probe=self.probe)
        self.to_sending()
        self.assertEqual(self.probe.log, ["start", "open", "begin 0.0"])
        self.reactor.advance(DURATION)
        self.assertEqual(self.probe.log[3:], [])
        self.report("settled", begun=2, secured=2)
        self.assertEqual(self.probe.log[3:], ["rest"])
        self.end()
        self.assertEqual(self.probe.log[4:], ["end"])
        self.assertNoResult(self.running)
        found = ProbeResult(5.0)
        self.probe.result.callback(found)
        self.assertEqual((self.result().probe, self.result().problem), (found, None))
        self.assertTrue(self.result().complete)

    def test_its_problem_is_one_of_the_run(self) -> None:
        self.probe.opened.callback(None)
        self.begin(probe=self.probe)
        self.to_over()
        self.probe.result.callback(ProbeResult(5.0, problem="truncated"))
        self.assertEqual(self.result().problem, "truncated")

    def test_a_load_that_is_stopped_does_not_wait_for_it_to_connect(self) -> None:
        controller = self.begin(probe=self.probe)
        self.report("ready")
        controller.stop()
        self.end(clean=0)
        self.probe.result.callback(ProbeResult(5.0))
        self.assertEqual(self.result().problem, "stopped before its end")
        self.assertEqual(self.probe.log, ["start", "open", "stop", "rest", "end"])


class Draining(ControllerCase):
    def test_it_polls_until_the_server_has_drained(self) -> None:
        self.drained.update(open=2, arrived=30)
        self.begin_with_status()
        self.to_over(sent=50)
        self.assertNoResult(self.running)
        self.drained.update(open=0, arrived=100)
        self.reactor.advance(POLL_INTERVAL)
        self.assertEqual(self.result().lost, 0)
        self.assertIsNone(self.result().problem)

    def test_a_server_that_never_drains_is_a_problem_and_what_arrived_is_kept(self) -> None:
        self.drained.update(open=2, arrived=30)
        self.begin_with_status()
        self.to_over(sent=50)
        self.reactor.pump([1.0] * int(TIMEOUT + 2))
        result = self.result()
        self.assertEqual(result.problem, "the server has not drained 2 connections")
        self.assertEqual(result.lost, 70)

    def test_a_server_that_drains_slowly_is_waited_for(self) -> None:
        self.drained.update(open=2, arrived=0)
        self.begin_with_status()
        self.to_over(sent=50)
        for _ in range(5):
            self.drained["arrived"] += 20
            self.reactor.pump([TIMEOUT / 4] * 3)
        self.assertNoResult(self.running)
        self.drained["open"] = 0
        self.reactor.advance(POLL_INTERVAL)
        self.assertEqual(self.result().lost, 0)
