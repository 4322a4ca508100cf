from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import task
from tlsdemo.loadgen.scenario_catalogue import latency_names


class LatencyNames(SynchronousTestCase):
    def check(self, *expected: str, paced: bool = False, **changes: Any) -> None:
        parts = [task(**{"mode": "starttls", **changes})]
        self.assertEqual(latency_names(parts, paced), list(expected))

    def test_of_every_load_are_the_steps_of_a_connection(self) -> None:
        self.check("connect", "handshake", "confirmed")
        self.check("connect", "confirmed", mode="clear")
        self.check("connect", "upgrade", "handshake", "confirmed", dialect="smtp")

    def test_of_messages_are_the_first_byte_and_the_round_trip(self) -> None:
        answered = ("connect", "handshake", "confirmed", "first byte", "round trip")
        self.check(*answered, scenario="pingpong")
        self.check(*answered, scenario="churn", packets=1)
        self.check(*answered[:3], scenario="churn")

    def test_of_packets_that_are_due_is_how_late_they_were_written(self) -> None:
        self.check("connect", "handshake", "confirmed", "write", paced=True)
        self.check("connect", "handshake", "confirmed", "write", work_rate=5.0)
        self.check("connect", "handshake", "confirmed", scenario="idle", paced=True)

    def test_of_several_parts_are_those_of_all(self) -> None:
        parts = [task(mode="clear"), task(mode="clear", scenario="pingpong")]
        self.assertEqual(
            latency_names(parts, False), ["connect", "confirmed", "first byte", "round trip"]
        )
