"""What ``tlsdemo events`` shows of what it has seen."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.events_run import as_json, traces_of
from tlsdemo.trace.model import Arrow, End, Mark, Trace
from tlsdemo.trace.observation import Observation
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event


class Traces(SynchronousTestCase):
    def test_of_another_matrix_are_those_that_were_seen_there(self) -> None:
        seen: list[Mark | Arrow] = [
            Mark(End.SERVER, Event("connected", 0.0)),
            Arrow(End.CLIENT, 0.5, Record(Kind.HANDSHAKE, 9, "TLS 1.0", ("client_hello",))),
        ]
        found = Observation("pair", "1.3", "ok", "tlsdemo", traces=[Trace("", {}, seen)])
        none = Observation("pair", "1.2", "KeyUpdate", "tlsdemo", "only possible with TLS 1.3")
        matrix = as_json([none, found])
        (trace,) = traces_of(matrix)
        self.assertEqual(trace.title, "pair, TLS 1.3, ok")
        self.assertEqual(trace.in_order(), seen)
        self.assertEqual(trace.facts["mode"], "pair")
        self.assertEqual(trace.facts["Twisted"], matrix["versions"]["Twisted"])
