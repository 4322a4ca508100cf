from __future__ import annotations

import doctest
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import task
from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen import shard as module
from tlsdemo.loadgen.arrivals import Arrivals, Window, due_times
from tlsdemo.loadgen.shard import REST_WITHIN, BadPlan, LoadPlan, Shard

WINDOW = Window(rate=50.0, seconds=2.0)


def plan(**changes: Any) -> LoadPlan:
    parts = (task(connections=7, scenario="pingpong"), task(connections=3, scenario="idle"))
    settings: dict[str, Any] = {"name": "load", "parts": parts, "windows": (WINDOW,), **changes}
    return LoadPlan(**settings)


def without_credentials(whole: LoadPlan) -> LoadPlan:
    none: dict[str, Any] = {"certificate": "", "key": "", "authority": "", "passphrase": ""}
    return replace(whole, parts=tuple(replace(part, **none) for part in whole.parts))


class Plans(SynchronousTestCase):
    def test_the_examples_are_true(self) -> None:
        outcome = doctest.testmod(module)
        self.assertEqual((outcome.attempted > 0, outcome.failed), (True, 0))

    def test_a_plan_survives_json_but_for_credentials(self) -> None:
        whole = plan(status="none", open_for=5.0, parts=(task(passphrase="secret"),))
        text = json.dumps(whole.as_json())
        self.assertEqual(LoadPlan.from_json(json.loads(text)), without_credentials(whole))
        for secret in ("secret", "client.pem", "client.key", "ca.pem"):
            self.assertNotIn(secret, text)

    def test_a_plan_is_told_from_others(self) -> None:
        self.assertEqual(plan().digest, LoadPlan.from_json(plan().as_json()).digest)
        self.assertNotEqual(plan().digest, plan(name="other").digest)
        self.assertNotEqual(plan().digest, plan(windows=(Window(seconds=1.0),)).digest)

    def test_what_is_no_plan_is_refused_with_the_reason(self) -> None:
        good = plan().as_json()

        def part(**changes: Any) -> dict[str, Any]:
            return {**good, "parts": [{**good["parts"][0], **changes}]}

        for document, why in (
            ([], "a plan is not an object"),
            ({**good, "schema": 2}, "its schema is 2, and 1 is understood"),
            ({**good, "parts": []}, "it has no parts, or no windows"),
            ({**good, "parts": 3}, "'parts' is not a list"),
            ({**good, "windows": [{"rate": "x"}]}, "'rate' is 'x'"),
            ({**good, "windows": [{"arrivals": "x"}]}, "'x' is not a valid Arrivals"),
            ({**good, "name": None}, "'name' is None"),
            (part(scenario="x"), "'x' is not a valid ScenarioName"),
            (part(mode="x"), "'x' is not a valid ModeName"),
            (part(dialect="x"), "'dialect' is 'x', none of "),
            (part(connections=0), "'connections', "),
            (part(extra=0), "Task has no 'extra'"),
        ):
            problem = self.assertRaises(BadPlan, LoadPlan.from_json, document)
            self.assertIn(why, str(problem))


class Shards(SynchronousTestCase):
    @given(st.integers(1, 7), st.sampled_from(Arrivals))
    def test_together_they_are_the_whole(self, of: int, arrivals: Arrivals) -> None:
        window = replace(WINDOW, arrivals=arrivals.value)
        shards = [plan(windows=(window,)).shard(number, of) for number in range(1, of + 1)]
        self.assertEqual(sum(each.load.connections for each in shards), 10)
        self.assertEqual({each.plan for each in shards}, {plan(windows=(window,)).digest})
        due = sorted(
            when
            for each in shards
            for when in due_times(window, each.load.parts[0].index, each.load.parts[0].of)
        )
        if arrivals is Arrivals.CONSTANT:
            self.assertEqual(due, [*due_times(window)])
        else:
            self.assertEqual(len(due), len(set(due)))

    def test_a_shard_survives_json(self) -> None:
        one = plan(parts=without_credentials(plan()).parts).shard(2, 3)
        self.assertEqual(Shard.from_json(json.loads(json.dumps(one.as_json()))), one)

    def test_each_has_a_name_of_its_own_for_the_server(self) -> None:
        self.assertEqual(plan().shard(2, 3).name, "load-2")

    def test_there_are_no_more_than_connections(self) -> None:
        problem = self.assertRaises(BadPlan, plan().shard, 1, 8)
        self.assertEqual(str(problem), "8 shards are more than its connections: at most 7")

    def test_they_have_the_credentials_of_the_machine(self) -> None:
        own = Credentials(Path("a.pem"), Path("a.key"), Path("ca.pem"), b"secret")
        first, *_ = plan().shard(1, 2).tasks(own)
        self.assertEqual(
            (first.certificate, first.key, first.authority, first.passphrase),
            ("a.pem", "a.key", "ca.pem", "secret"),
        )

    def test_all_begin_a_window_after_the_same_time(self) -> None:
        windows = (Window(seconds=2.0, ramp=1.0), Window(seconds=4.0), Window(seconds=1.0))
        offsets = plan(windows=windows, open_for=5.0).shard(1, 2).window_offsets()
        self.assertEqual(offsets, [5.0, 8.0 + REST_WITHIN, 12.0 + 2 * REST_WITHIN])
