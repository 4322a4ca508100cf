from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.observation import (
    STATE,
    EventSequences,
    Observation,
    Outcome,
    label,
    wire_label,
)
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event


def trace(*names: str) -> Trace:
    marks = [Mark(End.SERVER, Event(name, float(at))) for at, name in enumerate(names)]
    return Trace("", {}, [*marks])


class Labels(SynchronousTestCase):
    def test_of_events_have_the_facts_that_distinguish_them(self) -> None:
        lost = Event("connectionLost", 1.0, {"reason": "ConnectionDone", "text": "cleanly."})
        self.assertEqual(label(lost), "connectionLost ConnectionDone")
        self.assertEqual(
            label(Event("closed", 1.0, {"cause": "clean", "detail": ""})), "closed clean"
        )
        self.assertEqual(label(Event("alert in", 1.0, {"alert": "fatal x"})), "alert in fatal x")
        self.assertEqual(label(Event("secure", 1.0, {"agreed": "TLS 1.3"})), "secure")
        self.assertEqual(label(Event("insecure", 1.0)), "insecure")

    def test_of_records_have_no_length(self) -> None:
        hello = Record(Kind.HANDSHAKE, 250, "TLS 1.0", ("client_hello",))
        self.assertEqual(wire_label(Arrow(End.CLIENT, 0.0, hello)), "client handshake client_hello")
        data = Record(Kind.APPLICATION_DATA, 9, "", (), True)
        self.assertEqual(
            wire_label(Arrow(End.SERVER, 0.0, data, Fate.DROPPED)),
            "server application data (dropped)",
        )

    def test_of_unreadable_bytes_do_not_have_their_content(self) -> None:
        noise = Record(Kind.UNREADABLE, 9, "", ("GET /",))
        self.assertEqual(wire_label(Arrow(End.CLIENT, 0.0, noise)), "client unreadable")


class TheEventSequences(SynchronousTestCase):
    def test_are_those_of_each_end_and_each_direction_without_openssls_states(self) -> None:
        plaintext = Record(Kind.PLAIN, 2, "", ("OK",))
        seen: list[Mark | Arrow] = [
            Arrow(End.SERVER, 0.1, plaintext),
            Arrow(End.CLIENT, 0.2, plaintext),
            Mark(End.SERVER, Event("secure", 0.4)),
            Mark(End.SERVER, Event("connected", 0.0)),
            Mark(End.SERVER, Event(STATE, 0.3, {"state": "x"})),
            Mark(End.CLIENT, Event("connected", 0.0)),
        ]
        self.assertEqual(
            EventSequences.of(Trace("", {}, seen)),
            EventSequences(
                ("connected", "secure"), ("connected",), ("client plain OK", "server plain OK")
            ),
        )


class AnObservation(SynchronousTestCase):
    def test_is_a_race_if_the_event_sequences_differ(self) -> None:
        same = Observation("pair", "1.3", "ok", "tlsdemo", "", [trace("a", "b"), trace("a", "b")])
        self.assertFalse(same.race)
        self.assertEqual(len(same.sequences), 1)
        same.traces.append(trace("b", "a"))
        self.assertTrue(same.race)
        self.assertEqual([each.server for each in same.sequences], [("a", "b"), ("b", "a")])

    def test_has_everything_as_json(self) -> None:
        both = Observation("pair", "1.3", "ok", "tlsdemo", "", [trace("a", "b"), trace("b", "a")])
        self.assertEqual(
            both.as_json(),
            {
                "mode": "pair",
                "tls": "1.3",
                "way": "ok",
                "peer": "tlsdemo",
                "race": True,
                "why": "",
                "server": ["a", "b"],
                "client": [],
                "wire": [],
                "also": [{"server": ["b", "a"], "client": [], "wire": []}],
                "trace": [
                    {"at": 0.0, "end": "server", "event": "a", "facts": {}},
                    {"at": 1.0, "end": "server", "event": "b", "facts": {}},
                ],
            },
        )

    def test_of_an_impossible_connection_has_a_reason_and_no_trace(self) -> None:
        none = Observation("pair", "1.3", "ok", "node", "there is no node")
        self.assertEqual(none.outcome(End.SERVER), Outcome("", True))
        seen = none.as_json()
        self.assertNotIn("trace", seen)
        self.assertEqual((seen["why"], seen["server"], seen["also"]), ("there is no node", [], []))

    def test_has_an_outcome_for_each_end(self) -> None:
        seen = Observation("pair", "1.3", "ok", "tlsdemo", "", [trace("connected")])
        self.assertEqual(
            [seen.outcome(end).text for end in (End.SERVER, End.CLIENT)], ["connected", ""]
        )


class AnOutcome(SynchronousTestCase):
    def test_has_the_security_events_and_the_end(self) -> None:
        closed = Event("closed", 3.0, {"cause": "clean"})
        secured = [Event("handshakeCompleted", 1.0), Event("secure", 2.0)]
        self.assertEqual(
            Outcome.of([*secured, closed]), Outcome("handshakeCompleted, secure, clean", True)
        )
        self.assertEqual(
            Outcome.of([secured[0], Event("insecure", 2.0, {"cause": "x"})]),
            Outcome("handshakeCompleted, x", False),
        )
        self.assertEqual(Outcome.of([closed]), Outcome("clean", True))

    def test_of_another_stack_is_in_order_unless_an_event_tells_of_a_failure(self) -> None:
        for event, in_order in (
            (Event("close", 1.0), True),
            (Event("connectionLost", 1.0, {"reason": "ConnectionDone"}), True),
            (Event("connectionLost", 1.0, {"reason": "ConnectionLost"}), False),
            (Event("connectionLost", 1.0, {"reason": "Error"}), False),
            (Event("start_tls raised", 1.0, {"text": "SSLError: no"}), False),
            (Event("wait_closed raised", 1.0), False),
            (Event("exited with status 1", 1.0), False),
            (Event("exited with status 0", 1.0), True),
        ):
            self.assertIs(Outcome.of([event]).in_order, in_order, event.name)
