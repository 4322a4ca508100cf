from __future__ import annotations

import functools
import json
import operator
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.test_latencies import recorded
from tlsdemo.reporting.latencies import CONNECT, HANDSHAKE, LAG, ROUND_TRIP, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.plain_values import BadValues
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.shard_result import (
    CannotMerge,
    ShardResult,
    check_shards,
    merged_run,
    read_run,
)
from tlsdemo.reporting.window_result import WindowResult, WorkerLoad


def window(number: int = 1, latencies: Latencies | None = None, **changes: Any) -> WindowResult:
    counters = LoadCounters(begun=2, secured=2, clean=2, sent=10)
    settings: dict[str, Any] = {"rate": 20.0, "seconds": 3.0, "counters": counters, **changes}
    return WindowResult(
        number, ROUND_TRIP, latencies=latencies or Latencies(),
        workers=(WorkerLoad(0.5, 0.001),), **settings,
    )  # fmt: skip


def run(**changes: Any) -> RunResult:
    counters = LoadCounters(
        begun=3, secured=2, clean=2, sent=10, failed={"truncated": 1}, details={"truncated": "why"},
        groups={"X25519": 2},
    )  # fmt: skip
    settings: dict[str, Any] = {
        "name": "load-1", "connections": 3, "counters": counters, "securing": 0.5, "sending": 4.0,
        "arrived": 10, "opened_first": 3, "windows": (window(),), "unit": "messages",
        "opening": window(0, recorded(0.1, name=CONNECT)),
    }  # fmt: skip
    return RunResult(**{**settings, **changes})


def shard(number: int = 1, of: int = 2, **changes: Any) -> ShardResult:
    settings: dict[str, Any] = {
        "number": number, "of": of, "plan": "abc", "host": "here", "start_at": 1000.0,
        "started": 1000.25, "windows_began": (1005.0,), "run": run(name=f"load-{number}"),
        "source": f"out{number}.json", "versions": {"Twisted": "26.10"},
    }  # fmt: skip
    return ShardResult(**{**settings, **changes})


def there_and_back(each: ShardResult) -> ShardResult:
    return ShardResult.from_json(json.loads(json.dumps(each.as_json())), each.source)


READ = {
    *("mode", "connections", "seconds_until_secured", "seconds_sending", "arrived", "problem"),
    *("encrypted", "opened_first", "unit", "greatest_rate", "counters", "opening", "windows"),
}
"""What a merge reads of a run."""

NOT_READ = {"loop", "done", "done_per_second", "missed", "latencies", "warnings"}
"""What it does not read of a window, but computes."""


def damageable(values: Any, names: Iterable[str] = READ) -> Iterator[tuple[Any, ...]]:
    """Return the paths of all that is read."""
    for name in names:
        yield (name,)
        inner = values[name]
        if isinstance(inner, dict):
            of_a_window = "loop" in inner
            within = inner.keys() - NOT_READ if of_a_window else inner.keys()
            yield from ((name, *path) for path in damageable(inner, within))
        elif isinstance(inner, list):
            for index, each in enumerate(inner):
                within = each.keys() - NOT_READ
                yield from ((name, index, *path) for path in damageable(each, within))


class Documents(SynchronousTestCase):
    def test_a_result_survives_json(self) -> None:
        for each in (
            shard(),
            shard(clock=(0.001, 0.0002), start_at=None, started=None, windows_began=()),
            shard(run=run(windows=(), opening=None, arrived=None, opened_first=None)),
        ):
            back = there_and_back(each)
            self.assertEqual(back.as_json(), each.as_json())
            self.assertEqual(back.run.counters, each.run.counters)
            self.assertEqual(back.run.complete, each.run.complete)

    def test_other_documents_are_refused_with_the_reason(self) -> None:
        good = shard().as_json()
        del good["runs"][0]["counters"]
        for document, why in (
            ([], "the document is not an object, but list"),
            ({}, "its schema is None, and 1 is understood"),
            ({"schema": 2}, "its schema is 2"),
            ({"schema": 1, "runs": []}, "it is of a whole load"),
            ({"schema": 1, "shard": 3}, "it is damaged: "),
            (good, "it is damaged: lacks 'counters'"),
        ):
            problem = self.assertRaises(BadValues, ShardResult.from_json, document)
            self.assertIn(why, str(problem))

    def test_whatever_is_damaged_is_refused(self) -> None:
        good = shard(run=run(windows=(window(latencies=recorded(1.0)),))).as_json()
        for path in damageable(good["runs"][0]):
            document = json.loads(json.dumps(good))
            *way, last = path
            functools.reduce(operator.getitem, way, document["runs"][0])[last] = [[]]
            self.assertRaises(BadValues, ShardResult.from_json, document)
        for number in (0, 3):
            document = {**good, "shard": {**good["shard"], "number": number}}
            problem = self.assertRaises(BadValues, ShardResult.from_json, document)
            self.assertEqual(str(problem), f"it is shard {number} of 2")

    def test_a_damaged_histogram_is_refused(self) -> None:
        document = shard(run=run(windows=(window(latencies=recorded(1.0)),))).as_json()
        document["runs"][0]["windows"][0]["histograms"] = {"round trip": "AAAA"}
        self.assertIn("damaged", str(self.assertRaises(BadValues, ShardResult.from_json, document)))


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(1, 2),
        st.sampled_from([CONNECT, f"{HANDSHAKE}/X25519", f"{HANDSHAKE}/P-256", ROUND_TRIP, LAG]),
        st.floats(0.0, 4000.0),
    ),
    max_size=30,
)


class Merging(SynchronousTestCase):
    @settings(deadline=None, max_examples=10)
    @given(SAMPLES, st.integers(1, 4), st.randoms(use_true_random=False))
    def test_the_histograms_are_byte_for_byte_those_of_one_process(
        self, samples: list[tuple[int, int, str, float]], of: int, order: random.Random
    ) -> None:
        """``samples``: the shard that measures it, the window, the latency, the seconds."""

        def measured(mine: list[tuple[int, int, str, float]]) -> RunResult:
            windows = {1: Latencies(), 2: Latencies()}
            for _, number, name, seconds in mine:
                windows[number].record(name, seconds)
            return run(windows=tuple(window(*each) for each in windows.items()))

        shards = [
            there_and_back(
                shard(n, of, run=measured([each for each in samples if each[0] % of == n - 1]))
            )
            for n in range(1, of + 1)
        ]
        order.shuffle(shards)
        self.assertEqual(check_shards(shards), [])
        merged = [each.as_json()["histograms"] for each in merged_run(shards).windows]
        whole = [each.as_json()["histograms"] for each in measured(samples).windows]
        self.assertEqual(merged, whole)

    def test_counters_add_up_and_rates_are_those_of_all_already(self) -> None:
        whole = merged_run([shard(1), shard(2)])
        self.assertEqual((whole.name, whole.connections, whole.opened_first), ("load", 6, 6))
        self.assertEqual((whole.counters.secured, whole.counters.failed), (4, {"truncated": 2}))
        self.assertEqual((whole.arrived, whole.lost), (20, 0))
        (both,) = whole.windows
        self.assertEqual((both.rate, both.seconds, len(both.workers)), (20.0, 3.0, 2))
        self.assertEqual(both.counters.sent, 20)
        self.assertIsNone(whole.problem)

    def test_a_window_that_some_shards_did_not_reach_has_what_the_others_did(self) -> None:
        longer = run(windows=(window(1), window(2)))
        whole = merged_run([shard(1), shard(2, run=longer)])
        self.assertEqual([len(each.workers) for each in whole.windows], [2, 1])

    def test_what_arrived_is_known_if_every_shard_knows(self) -> None:
        self.assertIsNone(merged_run([shard(1), shard(2, run=run(arrived=None))]).arrived)

    def test_problems_are_told_with_their_shard(self) -> None:
        whole = merged_run([shard(2, run=run(problem="stopped"))], ["shard 1 of 2 is missing"])
        self.assertEqual(whole.problem, "shard 1 of 2 is missing; shard 2: stopped")
        self.assertFalse(whole.complete)

    def test_a_run_read_back_is_the_same(self) -> None:
        self.assertEqual(read_run(run().as_json()).as_json(), run().as_json())


class Checking(SynchronousTestCase):
    def refused(self, *shards: ShardResult) -> str:
        return str(self.assertRaises(CannotMerge, check_shards, shards))

    def test_missing_shards_are_named(self) -> None:
        self.assertEqual(check_shards([shard(3, 4), shard(1, 4)]), [2, 4])

    def test_one_that_is_there_twice_is_named_with_both_files(self) -> None:
        again = replace(shard(2), source="copy.json")
        self.assertEqual(
            self.refused(shard(1), shard(2), again),
            "shard 2 of 2 is there twice, in out2.json and in copy.json; which of them counts?",
        )

    def test_another_plan_another_number_and_another_run_are_refused(self) -> None:
        cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({"plan": "xyz"}, "out2.json is of plan xyz, and out1.json is of plan abc"),
            ({"of": 3}, "out2.json is one of 3 shards, and out1.json is one of 2 shards"),
            ({"start_at": 7.0}, "out2.json is of a run that began at 7.0, and out1.json is of"),
        )
        for changes, why in cases:
            self.assertIn(why, self.refused(shard(1), shard(**{"number": 2, **changes})))
