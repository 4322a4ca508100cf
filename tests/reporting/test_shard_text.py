from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.test_shard_result import shard
from tlsdemo.reporting.shard_text import shard_line, together_lines


class ShardLine(SynchronousTestCase):
    def test_says_what_it_did_and_how_late(self) -> None:
        self.assertEqual(
            shard_line(shard()),
            "shard 1 of 2 on here, began +250 ms: 3 connections begun, 2 secured, 1 failed, "
            "2 ended in order",
        )

    def test_says_nothing_of_a_start_that_was_not_agreed_on(self) -> None:
        self.assertIn("on here: 3", shard_line(shard(start_at=None)))
        self.assertIn("on here: 3", shard_line(shard(started=None)))

    def test_its_start_is_by_our_clock_if_its_own_was_measured(self) -> None:
        line = shard_line(shard(clock=(0.2, 0.0005)))
        self.assertIn("began +50 ms", line)
        self.assertTrue(line.endswith("; its clock was 200.0 ± 0.5 ms ahead"), line)
        self.assertIn("200.0 ± 0.5 ms behind", shard_line(shard(clock=(-0.2, 0.0005))))


class Together(SynchronousTestCase):
    def test_says_how_far_apart_each_window_began(self) -> None:
        shards = [shard(1), shard(2, windows_began=(1005.1,))]
        self.assertEqual(
            [*together_lines(shards)], ["window 1 began within 100 ms, by their machines' clocks"]
        )

    def test_by_our_clock_if_all_were_measured(self) -> None:
        shards = [shard(1, clock=(0.0, 0.0)), shard(2, windows_began=(1005.1,), clock=(0.1, 0.0))]
        self.assertEqual([*together_lines(shards)], ["window 1 began within 0 ms"])

    def test_warns_if_that_is_much(self) -> None:
        _, warning = together_lines([shard(1), shard(2, windows_began=(1007.0,))])
        self.assertIn("warning: that is much for 3 s", warning)

    def test_of_one_shard_there_is_nothing_to_say(self) -> None:
        self.assertEqual([*together_lines([shard(1)])], [])
