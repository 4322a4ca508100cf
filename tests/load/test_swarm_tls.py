"""A swarm with real TLS, against a session of our own in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.error import ConnectionAborted
from twisted.trial.unittest import SynchronousTestCase

from tests.load.fakes import FakeReactor, strangers, task
from tests.support import (
    MemoryTransport,
    RecordingListener,
    StartTLSTransport,
    certificates,
    exchange,
    patch_reactor_clock,
    timeline_of,
)
from tlsdemo.credentials import Credentials
from tlsdemo.load.sender import Sender
from tlsdemo.load.swarm import Swarm
from tlsdemo.secure import MODES, ClientTLS, Manner, ModeName, ServerTLS
from tlsdemo.session.session import Session


class Securing(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        patch_reactor_clock(self)

    def swarm(self, credentials: Credentials | None = None, **changes: Any) -> Swarm:
        tls = ClientTLS.build(credentials or certificates().client, "localhost")
        changes.setdefault("mode", "starttls")
        return Swarm(task(**changes), tls, self.reactor)

    def server(self) -> StartTLSTransport:
        self.log: list[object] = []
        self.taken: list[bytes] = []
        application: Any = Sender(b"", 0, lambda _: None, lambda: None)
        application.dataReceived = self.taken.append
        transport = StartTLSTransport(is_client=False)
        transport.protocol = Session(
            MODES[ModeName.STARTTLS],
            ServerTLS.build(certificates().server),
            RecordingListener(self.log, application),
            Manner(),
            timeline_of(self.reactor),
            self.reactor,
        )
        transport.protocol.makeConnection(transport)
        return transport

    def accept(self) -> MemoryTransport:
        (attempt,) = self.reactor.attempts()
        return attempt.accept(StartTLSTransport(is_client=True))

    def met(self) -> tuple[MemoryTransport, MemoryTransport]:
        client, server = self.accept(), self.server()
        exchange(client, server)
        return client, server

    def sends_in(self, mode: str) -> None:
        swarm = self.swarm(mode=mode, packets=3)
        swarm.open()
        client, server = self.met()
        self.assertTrue(swarm.settled)
        self.assertEqual(swarm.tally().secured, 1)
        self.assertEqual(swarm.peers, ["192.0.2.2:2"])
        swarm.send()
        self.reactor.advance(0)
        exchange(client, server)
        self.assertEqual(self.taken, [b"x" * 10] * 3)
        self.assertEqual(swarm.tally().clean, 1)
        self.assertTrue(swarm.over)

    def test_it_secures_with_start_tls(self) -> None:
        self.sends_in("starttls")

    def test_it_secures_with_a_pair(self) -> None:
        self.sends_in("pair")

    def test_it_secures_wrapped(self) -> None:
        self.sends_in("wrapped")

    def test_a_rejection_that_only_shows_after_tls_1_3_was_secure_makes_it_failed(self) -> None:
        stranger = strangers().client
        swarm = self.swarm(replace(stranger, authority=certificates().authority))
        swarm.open()
        client, server = (
            self.accept(),
            self.server(),
        )
        server.deliver(client.take())
        client.deliver(server.take())
        self.assertEqual(swarm.tally().secured, 1)
        exchange(client, server)
        self.assertEqual(swarm.tally().secured, 0)
        self.assertEqual(swarm.tally().failed, {"rejected by peer": 1})
        self.assertTrue(swarm.over)

    def test_a_server_that_is_not_to_be_trusted_is_counted_by_its_cause(self) -> None:
        swarm = self.swarm(strangers().client)
        swarm.open()
        self.met()
        self.assertEqual(swarm.tally().failed, {"certificate untrusted": 1})
        self.assertEqual(swarm.tally().secured, 0)
        self.assertTrue(swarm.settled)

    def test_what_is_being_secured_when_it_is_to_finish_is_aborted(self) -> None:
        swarm = self.swarm()
        swarm.open()
        client = self.accept()
        swarm.finish()
        self.assertFalse(swarm.over)
        client.lose(ConnectionAborted())
        self.assertEqual(swarm.tally().failed, {"aborted by us": 1})
        self.assertTrue(swarm.over)
