from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.metrics.reading import Reading
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.web.event_stream import PATIENCE, EventStream
from tlsdemo.web.live_feed import INTERVAL, LARGEST_PART, LONGEST_INTERVAL, LiveFeed
from tlsdemo.web.live_page import live_page
from tlsdemo.web.sampled_connections import SampledConnections

HOSTILE = "<img src=x onerror=alert(1)>'\"&\x1b"


class RecordingReader:
    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def send(self, name: str, data: str) -> None:
        self.events.append((name, json.loads(data)))


class FeedCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.updates = 0
        self.cost = 0.0
        self.used = 0.0
        self.sampled = SampledConnections("pair")
        self.feed = LiveFeed(
            "title", "lead", self.clock, self.update, self.sampled, lambda: self.used
        )
        self.series = self.feed.add_series("pair")
        self.feed.start()

    def update(self) -> None:
        self.updates += 1
        self.used += self.cost
        self.series.add(Reading(Snapshot(at=self.clock.seconds(), opened=self.updates)))


class LiveFeedTests(FeedCase):
    def test_is_computed_once_for_all_pages(self) -> None:
        readers = [RecordingReader() for _ in range(3)]
        for reader in readers:
            self.feed.subscribe(reader)
        before = self.updates
        self.clock.pump([INTERVAL] * 4)
        self.assertEqual(self.updates - before, 4)
        for reader in readers:
            self.assertEqual([name for name, _ in reader.events], ["history"] + ["frame"] * 4)

    def test_keeps_a_history_for_pages_that_are_opened_later(self) -> None:
        self.clock.pump([INTERVAL] * 9)
        reader = RecordingReader()
        self.feed.subscribe(reader)
        ((_, message),) = reader.events
        self.assertEqual(len(message["series"][0]["history"]["at"]), 9)

    def test_is_computed_less_often_if_that_takes_long(self) -> None:
        self.cost = 0.03
        self.clock.advance(INTERVAL)
        before = self.updates
        self.clock.pump([0.1] * 29)
        self.assertEqual(self.updates, before)
        self.clock.pump([0.1] * 2)
        self.assertEqual(self.updates, before + 1)
        self.assertEqual(self.cost / LARGEST_PART, 3.0)

    def test_is_computed_after_some_seconds_however_long_that_takes(self) -> None:
        self.cost = 1.0
        self.clock.advance(INTERVAL)
        before = self.updates
        self.clock.advance(LONGEST_INTERVAL)
        self.assertEqual(self.updates, before + 1)

    def test_sends_the_connections_only_if_they_have_changed(self) -> None:
        reader = RecordingReader()
        self.feed.subscribe(reader)
        observer: Any = self.sampled.watch(1, HOSTILE, self.clock.seconds)
        observer.event("connected")
        self.clock.pump([INTERVAL] * 2)
        _, (_, first), (_, second) = reader.events
        self.assertEqual(first["connections"][0]["peer"], HOSTILE)
        self.assertNotIn("connections", second)

    def test_sends_nothing_to_a_page_that_is_closed(self) -> None:
        reader = RecordingReader()
        self.feed.subscribe(reader)
        self.feed.unsubscribe(reader)
        self.feed.unsubscribe(reader)
        self.clock.advance(INTERVAL)
        self.assertEqual(len(reader.events), 1)
        self.assertEqual(self.feed.readers, 0)

    def test_ceases_when_it_is_stopped(self) -> None:
        self.feed.stop()
        self.feed.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_is_shown_without_a_script_and_with_what_a_peer_has_chosen_escaped(self) -> None:
        observer: Any = self.sampled.watch(1, HOSTILE, self.clock.seconds)
        observer.event("secure", info=HOSTILE)
        page = live_page(self.feed)
        self.assertIn('data-figure="opened">1</td>', page)
        self.assertIn("http-equiv", page)
        self.assertNotIn("<img", page)
        self.assertNotIn("\x1b", page)
        self.assertEqual(page.count("&lt;img src=x"), 2)
        self.assertNotRegex(page, r"<script(?! src=)|<style|<[^>]* (on\w+|style)=")


class FakeRequest:
    def __init__(self) -> None:
        self.written = b""
        self.is_lost = False

    def registerProducer(self, producer: object, streaming: bool) -> None:
        assert streaming

    def write(self, data: bytes) -> None:
        self.written += data

    @property
    def channel(self) -> FakeRequest:
        return self

    def forceAbortClient(self) -> None:  # noqa: N802
        self.is_lost = True


class EventStreamTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.request = FakeRequest()
        self.stream = EventStream(self.request, self.clock)
        self.request.written = b""

    def test_sends_events(self) -> None:
        self.stream.send("frame", "{}")
        self.assertEqual(self.request.written, b"event: frame\ndata: {}\n\n")

    def test_leaves_events_out_while_a_page_does_not_read(self) -> None:
        self.stream.pauseProducing()
        self.stream.send("frame", "{}")
        self.assertEqual(self.request.written, b"")
        self.stream.resumeProducing()
        self.stream.send("frame", "{}")
        self.assertNotEqual(self.request.written, b"")

    def test_drops_a_page_that_does_not_read_for_long(self) -> None:
        self.stream.pauseProducing()
        self.clock.advance(PATIENCE)
        self.stream.send("frame", "{}")
        self.assertFalse(self.request.is_lost)
        self.clock.advance(0.1)
        self.stream.send("frame", "{}")
        self.assertTrue(self.request.is_lost)
        self.assertEqual(self.request.written, b"")

    def test_sends_nothing_more_to_a_page_that_is_gone(self) -> None:
        self.stream.stopProducing()
        self.stream.send("frame", "{}")
        self.assertEqual(self.request.written, b"")
