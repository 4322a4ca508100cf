from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.trace.connection_observer import ConnectionObserver, SeveralObservers
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event, EventObserver


class AConnectionObserver(SynchronousTestCase):
    def setUp(self) -> None:
        self.reported: list[Any] = []
        self.observer = ConnectionObserver(End.SERVER, lambda: 2.0, 0.5, self.reported.append)

    def test_reports_events_with_the_time_since_the_connection_began(self) -> None:
        self.observer.event("connected", peer_name="x")
        self.assertEqual(
            self.reported, [Mark(End.SERVER, Event("connected", 1.5, {"peer_name": "x"}))]
        )

    def test_reports_details_as_events(self) -> None:
        self.observer.detail("alert in", level=2, description=40)
        self.assertEqual(self.reported[0].event.facts, {"alert": "fatal handshake_failure"})

    def test_makes_the_text_of_what_was_agreed_at_once(self) -> None:
        agreed = [1]
        self.observer.event("secure", info=agreed)
        agreed.clear()
        self.assertEqual(self.reported[0].event.facts, {"agreed": "[1]"})

    def test_reports_what_is_said_in_plaintext_as_a_record(self) -> None:
        self.observer.wire(False, b"STARTTLS\r\n")
        self.assertEqual([arrow.record.kind for arrow in self.reported], [Kind.PLAIN])
        self.assertEqual(self.reported[0].sender, End.CLIENT)

    def test_reports_no_records_where_a_relay_does(self) -> None:
        client = ConnectionObserver(End.CLIENT, lambda: 2.0, 0.5, self.reported.append, wire=False)
        client.wire(True, b"STARTTLS\r\n")
        self.assertEqual(self.reported, [])


class SeveralOfThem(SynchronousTestCase):
    def test_see_events_and_one_sees_the_details(self) -> None:
        events: list[Event] = []
        details: list[Mark | Arrow] = []
        both = SeveralObservers(
            [
                EventObserver(lambda: 0.0, events.append),
                ConnectionObserver(End.SERVER, lambda: 0.0, 0.0, details.append),
            ]
        )
        self.assertTrue(both.detailed)
        self.assertTrue(both.states)
        both.event("connected")
        both.detail("OpenSSL state", state="x")
        both.wire(True, b"220 ready\r\n")
        both.tls_created(None)
        self.assertEqual([event.name for event in events], ["connected"])
        self.assertEqual(len(details), 3)

    def test_want_no_states_if_none_of_them_does(self) -> None:
        stateless = SimpleNamespace(detailed=True, states=False)
        self.assertFalse(SeveralObservers([stateless]).states)

    def test_want_no_details_if_none_of_them_does(self) -> None:
        events: list[Event] = []
        observers = [EventObserver(lambda: 0.0, events.append) for _ in range(2)]
        self.assertFalse(SeveralObservers(observers).detailed)
