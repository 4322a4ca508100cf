from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.trace.timeline import Event, Later, Timeline


class TimelineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)

    def test_keeps_events_in_order_with_the_time_since_it_began(self) -> None:
        timeline = Timeline(self.clock.seconds)
        timeline.record("connected")
        self.clock.advance(0.25)
        timeline.record("secure", version="TLSv1.3")
        self.assertEqual(timeline.names(), ["connected", "secure"])
        self.assertEqual(
            [*timeline], [Event("connected", 0.0), Event("secure", 0.25, {"version": "TLSv1.3"})]
        )
        self.assertEqual(len(timeline), 2)

    def test_tells_its_age(self) -> None:
        timeline = Timeline(self.clock.seconds)
        self.clock.advance(3)
        self.assertEqual(timeline.age(), 3.0)
        self.assertEqual(len(timeline), 0)

    def test_tells_an_observer_of_each_event(self) -> None:
        seen: list[Event] = []
        timeline = Timeline(self.clock.seconds, seen.append)
        timeline.record("connected", peer="192.0.2.1")
        self.assertEqual(seen, [Event("connected", 0.0, {"peer": "192.0.2.1"})])
        self.assertEqual(seen, [*timeline])


class EventTests(SynchronousTestCase):
    def test_finds_the_words_of_a_later_fact_when_they_are_read(self) -> None:
        words: list[int] = []
        event = Event("secure", 0.0, {"agreed": Later(words)})
        words.append(1)
        self.assertEqual(str(event), "+0.0000s secure agreed=[1]")

    def test_is_one_line(self) -> None:
        self.assertEqual(str(Event("connected", 0)), "+0.0000s connected")
        self.assertEqual(
            str(Event("secure", 1.23456, {"version": "TLSv1.3", "records": 2})),
            "+1.2346s secure version=TLSv1.3 records=2",
        )
