from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.web.workers_case import WorkersPagesCase, answer_of
from tlsdemo.metrics.figures import DURATIONS
from tlsdemo.metrics.prometheus import exposition, registry_of
from tlsdemo.metrics.server_figures import STATES
from tlsdemo.metrics.worker_metrics import WorkerCollector
from tlsdemo.metrics.workers_figures import WorkersFigures
from tlsdemo.proxy.workers import RESTART_DELAYS
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.web.live_series import LiveSeries
from tlsdemo.web.worker_questions import FRESH

LAG = "tlsdemo_reactor_lag_seconds_count worker={}"


class WorkersFiguresTests(WorkersPagesCase):
    def samples(self) -> Mapping[str, float]:
        """The samples of all counters and histograms, and of the gauges of the workers."""
        registry = registry_of(self.figures, WorkerCollector(self.figures))
        text, _ = exposition(registry, "application/openmetrics-text")
        found = {}
        for family in text_string_to_metric_families(text.decode()):
            if not family.name.startswith("tlsdemo_"):
                continue
            for sample in family.samples:
                labels = {**sample.labels}
                self.assertEqual(
                    (labels.pop("mode", "clear"), labels.pop("dialect", "immediate")),
                    ("clear", "immediate"),
                )
                texts = [f"{key}={labels[key]}" for key in sorted(labels)]
                found[" ".join([sample.name, *texts])] = sample.value
        return found

    def counters(self) -> dict[str, float]:
        endings = ("_total", "_count", "_sum", "_bucket")
        return {
            name: value for name, value in self.samples().items()
            if name.split()[0].endswith(endings)
        }  # fmt: skip

    def assert_not_backwards(self, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        self.assertEqual({name: after.get(name) for name in before if not
                          after.get(name, -1.0) >= before[name]}, {})  # fmt: skip

    def test_are_the_sum_of_what_the_workers_tell(self) -> None:
        self.refreshed(3, 4, open=2)
        seen = self.samples()
        self.assertEqual(seen["tlsdemo_connections_total"], 7)
        self.assertEqual(seen["tlsdemo_open_connections state=open"], 4)
        self.assertEqual(seen["tlsdemo_handshakes_total group=X25519 version=TLSv1.3"], 7)
        self.assertEqual(seen["tlsdemo_handshake_duration_seconds_bucket le=0.1"], 0)
        self.assertEqual(seen["tlsdemo_handshake_duration_seconds_bucket le=0.25"], 7)
        self.assertEqual(seen["tlsdemo_handshake_duration_seconds_sum"], 7 * 0.25)
        self.assertEqual((seen[LAG.format(1)], seen[LAG.format(2)]), (3, 4))
        self.assertEqual(seen["tlsdemo_worker_cpu_seconds_total worker=2"], 4)
        self.assertEqual(self.figures.reading().handshakes[7], 7)
        # Whatever the workers have answered to other questions.
        self.workers.processes[0].snapshot = Snapshot(lag=9.0)
        self.assertEqual(self.figures.reading().snapshot.lag, 0.5)

    def test_do_not_go_backwards_when_a_worker_is_killed_and_replaced(self) -> None:
        self.refreshed(3, 4, open=2)
        before = self.counters()
        self.processes[0].die(signal=9)
        self.assert_not_backwards(before, self.counters())
        self.assertEqual(self.samples()["tlsdemo_open_connections state=open"], 2)
        self.assertEqual(self.samples()["tlsdemo_worker_serving worker=1"], 0)
        self.reactor.advance(RESTART_DELAYS[1])
        self.assert_not_backwards(before, self.counters())
        self.refreshed(4, 1)
        after = self.counters()
        self.assert_not_backwards(before, after)
        self.assertEqual(after["tlsdemo_handshake_duration_seconds_count"], 3 + 4 + 1)
        self.assertEqual(after["tlsdemo_connections_total"], 3 + 4 + 1)
        self.assertEqual(after["tlsdemo_connection_ends_total cause=worker ended"], 2)
        self.assertEqual(after["tlsdemo_worker_ends_total worker=1"], 1)
        self.assertEqual(after["tlsdemo_worker_cpu_seconds_total worker=1"], 3 + 1)
        self.assertEqual((after[LAG.format(1)], after[LAG.format(2)]), (3 + 1, 4))

    def test_have_the_last_words_of_a_worker_that_ends_in_order(self) -> None:
        self.refreshed(3, 4)
        last = answer_of(5, {}, 0.0)
        final = {"statistics": last["statistics"], "figures": last["figures"]}
        self.answer(self.processes[0], final={**final, "open_at_stop": 0, "lag": 0.5})
        self.processes[0].die()
        seen = self.samples()
        self.assertEqual(seen["tlsdemo_handshake_duration_seconds_count"], 9)
        self.assertEqual(seen["tlsdemo_connections_total"], 9)

    def test_last_words_of_another_version_do_not_keep_a_worker_from_being_replaced(self) -> None:
        self.refreshed(3, 4)
        last = answer_of(5, {}, 0.0)
        for figures in ({}, {**last["figures"], "lag": {"counts": [1], "sum": 0.5}}):
            final = {"statistics": last["statistics"], "figures": figures}
            started = len(self.processes)
            self.answer(self.processes[-1], final={**final, "open_at_stop": 0, "lag": 0.5})
            self.processes[-1].die()
            self.reactor.advance(RESTART_DELAYS[-1])
            self.assertEqual(len(self.processes), started + 1)
        # What it had told before stays counted.
        self.assertEqual(self.samples()["tlsdemo_handshake_duration_seconds_count"], 7)

    def test_have_all_states_even_if_no_worker_runs(self) -> None:
        states = {f"tlsdemo_open_connections state={each}": 0 for each in STATES.values()}
        self.assertLessEqual(states.items(), self.samples().items())
        self.refreshed(3, 4, open=2)
        for process in self.processes[:2]:
            process.die(signal=9)
        self.assertLessEqual(states.items(), self.samples().items())

    def test_of_a_worker_that_has_told_nothing_are_none(self) -> None:
        self.processes[0].die(signal=9)
        self.assertEqual(self.samples()["tlsdemo_connections_total"], 0)

    def test_a_worker_that_does_not_run_uses_no_memory(self) -> None:
        memory = "tlsdemo_worker_resident_memory_bytes worker={}"
        self.workers.processes[1].pid = os.getpid()
        self.processes[0].die(signal=9)
        seen = self.samples()
        self.assertNotIn(memory.format(1), seen)
        self.assertIn(memory.format(2), seen)

    def test_it_is_ready_when_all_workers_have_answered_and_until_it_drains(self) -> None:
        self.assertEqual(self.figures.not_ready(), "0 of 2 workers serve")
        self.refreshed(0, 0)
        self.assertEqual(self.figures.not_ready(), "")
        self.processes[1].die(signal=9)
        self.assertEqual(self.figures.not_ready(), "1 of 2 workers serve")
        self.end()
        self.assertEqual(self.figures.not_ready(), "draining")

    def test_readings_begin_when_the_server_does(self) -> None:
        self.reactor.advance(100)
        series = LiveSeries("clear", DURATIONS)
        figures = WorkersFigures(self.workers, self.settings)
        series.add(figures.reading())
        self.reactor.advance(2)
        figures.told(0, answer_of(6, {}, 0.0))
        series.add(figures.reading())
        assert series.point is not None
        self.assertEqual(series.point[0], 2)

    def test_a_reading_is_as_old_as_what_was_told(self) -> None:
        self.refreshed(1, 1)
        at = self.figures.reading().snapshot.at
        self.reactor.advance(FRESH)
        self.assertEqual(self.figures.reading().snapshot.at, at)
        self.refreshed(2, 2)
        self.assertEqual(self.figures.reading().snapshot.at, at + FRESH)
