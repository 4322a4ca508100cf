from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.trace.timeline import Event, EventObserver, Fact, LazyText


class AnObserverOfEvents(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.events: list[Event] = []
        self.observer = EventObserver(self.clock.seconds, self.events.append)

    def test_reports_each_event_with_the_time_since_it_began(self) -> None:
        self.observer.event("connected")
        self.clock.advance(0.25)
        self.observer.event("upgrade refused", version="TLSv1.3")
        self.assertEqual(
            self.events,
            [Event("connected", 0.0), Event("upgrade refused", 0.25, {"version": "TLSv1.3"})],
        )

    def test_reports_a_close_reason_as_its_cause_and_detail(self) -> None:
        self.observer.event("closed", reason=CloseReason(Cause.TRUNCATED, "early"))
        self.assertEqual(self.events[0].facts, {"cause": "truncated", "detail": "early"})

    def test_reports_a_close_reason_as_it_is_told_to(self) -> None:
        def facts(name: str, reason: CloseReason) -> dict[str, Fact]:
            return {name: str(reason)}

        observer = EventObserver(self.clock.seconds, self.events.append, facts)
        observer.event("closed", reason=CloseReason(Cause.CLEAN))
        self.assertEqual(self.events[0].facts, {"closed": "clean"})

    def test_makes_no_text_of_what_was_agreed_before_it_is_read(self) -> None:
        agreed: list[int] = []
        self.observer.event("secure", info=agreed)
        agreed.append(1)
        self.assertEqual(str(self.events[0]), "+0.0000s secure agreed=[1]")

    def test_makes_text_of_all_else(self) -> None:
        self.observer.event("something", of={})
        self.assertEqual(self.events[0].facts, {"of": "{}"})

    def test_wants_no_details_and_reports_none(self) -> None:
        self.assertFalse(self.observer.detailed)
        self.observer.detail("OpenSSL state")
        self.observer.wire(True, b"data")
        self.observer.tls_created(None)
        self.assertEqual(self.events, [])


class AnEvent(SynchronousTestCase):
    def test_has_the_text_of_a_lazy_fact_when_it_is_read(self) -> None:
        values: list[int] = []
        event = Event("secure", 0.0, {"agreed": LazyText(values)})
        values.append(1)
        self.assertEqual(str(event), "+0.0000s secure agreed=[1]")

    def test_is_one_line(self) -> None:
        self.assertEqual(str(Event("connected", 0)), "+0.0000s connected")
        self.assertEqual(
            str(Event("secure", 1.23456, {"version": "TLSv1.3", "records": 2})),
            "+1.2346s secure version=TLSv1.3 records=2",
        )
