"""What a watched session tells beside its timeline, in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.support import MemoryTransport, Recorder, RecordingListener, certificates
from tests.tls.memory_ends import foreign_client
from tlsdemo.starttls.line import LineClient, LineServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.sniffing import AutoServer
from tlsdemo.tls import MODES, ModeName, ServerTLS, Watch, WatchedTLS
from tlsdemo.tls.watched import WatchedSession, before, first, said
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.timeline import Timeline


def told_by(end: End, negotiation: Negotiation, *words: bytes) -> list[Any]:
    """Have one end hear ``words``, and return what it has told: names, and labels of records."""
    told: list[Mark | Arrow] = []
    clock = Clock()
    watch = Watch(end, clock.seconds, 0.0, told.append)
    tls = WatchedTLS(ServerTLS.build(certificates().server), watch)
    mode = MODES[ModeName.PAIR]
    session = WatchedSession(
        mode, tls, RecordingListener([], Recorder()), mode.transport_options(None, None, 1 << 16),
        Timeline(clock.seconds, watch.observe), clock, negotiation,
    ).watched_by(watch)  # fmt: skip
    transport = MemoryTransport(session)
    session.makeConnection(transport)
    for each in words:
        transport.deliver(each)
    return [
        each.event.name if isinstance(each, Mark) else (each.sender, each.record.messages)
        for each in told
        # Which pyOpenSSL does not tell everywhere.
        if not (isinstance(each, Mark) and each.event.name == "OpenSSL state")
    ]


class AServer(SynchronousTestCase):
    def test_tells_when_it_is_asked_and_when_it_has_granted(self) -> None:
        told = told_by(End.SERVER, LineServer(), b"STARTTLS\r\n")
        self.assertEqual(
            told,
            ["connected", (End.CLIENT, ("STARTTLS\\r\\n",)), "upgrade requested",
             (End.SERVER, ("OK\\r\\n",)), "upgrade granted", "pair joined", "pair connected"],
        )  # fmt: skip

    def test_that_refuses_has_granted_nothing(self) -> None:
        told = told_by(End.SERVER, LineServer(), b"STARTTLS\r\nmore\r\n")
        self.assertIn("upgrade refused", told)
        self.assertNotIn("upgrade granted", told)
        self.assertNotIn("upgrade requested", told)


class AClient(SynchronousTestCase):
    def test_tells_when_it_has_asked_and_when_it_is_granted(self) -> None:
        told = told_by(End.CLIENT, LineClient())
        self.assertEqual(
            told, ["connected", (End.CLIENT, ("STARTTLS\\r\\n",)), "upgrade requested"]
        )


class Tellers(SynchronousTestCase):
    def setUp(self) -> None:
        self.log: list[object] = []

    def test_tell_before_every_call(self) -> None:
        recorder = Recorder(self.log)
        before(recorder, "dataReceived", lambda data: self.log.append(("before", data)))
        recorder.dataReceived(b"a")
        recorder.dataReceived(b"b")
        self.assertEqual(self.log, [("before", b"a"), b"a", ("before", b"b"), b"b"])

    def test_tell_before_the_first_call_only(self) -> None:
        recorder = Recorder(self.log)
        first(recorder, "dataReceived", lambda: self.log.append("first"))
        recorder.dataReceived(b"a")
        recorder.dataReceived(b"b")
        self.assertEqual(self.log, ["first", b"a", b"b"])

    def test_name_the_type_and_the_text_of_a_reason(self) -> None:
        self.assertEqual(said(Failure(ValueError("why"))), {"reason": "ValueError", "text": "why"})


class WhatBelongsToTLSAlready(SynchronousTestCase):
    def test_is_told_once_although_it_came_to_a_dialogue(self) -> None:
        hello = foreign_client().take()
        told = told_by(End.SERVER, AutoServer(LineServer), hello)
        self.assertEqual(told.count((End.CLIENT, ("client_hello",))), 1, told)
