"""A connection pool with real TLS, against a server in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.error import ConnectionAborted
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, strangers, task
from tests.support import (
    MemoryTransport,
    RecordingListener,
    StartTLSTransport,
    certificates,
    exchange,
    patch_reactor_clock,
)
from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen import load_connection
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.loadgen.sender import Sender
from tlsdemo.reporting.latencies import CONFIRMED, HANDSHAKE
from tlsdemo.starttls.negotiation import MAX_LINE
from tlsdemo.tls import MODES, ClientTLS, ConnectionSettings, ModeName, ServerTLS, UpgradeProtocol

CLIENT_HELLO = 1


class Securing(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        patch_reactor_clock(self)

    def pool(self, credentials: Credentials | None = None, **changes: Any) -> ConnectionPool:
        tls = ClientTLS.build(credentials or certificates().client, "localhost")
        changes.setdefault("mode", "starttls")
        return ConnectionPool(task(**changes), tls, self.reactor, Recorder(self.reactor.seconds))

    def failures(self, size: int, **limits: Any) -> dict[str, int]:
        """How connections fail to a server whose greeting has ``size`` bytes."""
        pool = self.pool(dialect="smtp", **limits)
        pool.open()
        (attempt,) = self.reactor.attempts()
        wire = attempt.accept()
        wire.deliver(b"220 ".ljust(size - 2, b"x") + b"\r\n")
        wire.take()
        wire.turn()
        return dict(pool.counters().failed)

    def test_names_itself_and_the_server_as_the_task_says(self) -> None:
        for dialect, greeting, expected in (
            ("smtp", b"220 a\r\n", b"EHLO me.example\r\n"),
            ("xmpp", b"", b' to="chat.example"'),
        ):
            self.setUp()
            pool = self.pool(dialect=dialect, helo_name="me.example", server_name="chat.example")
            pool.open()
            (attempt,) = self.reactor.attempts()
            wire = attempt.accept()
            wire.deliver(greeting)
            self.assertIn(expected, wire.take())

    def test_what_a_server_sends_before_tls_is_limited_as_the_task_says(self) -> None:
        for limits, most in (({}, MAX_LINE), ({"max_line": 5000}, 5000), ({"max_plain": 99}, 99)):
            for size, failures in ((most, {}), (most + 1, {"too much before TLS": 1})):
                self.setUp()
                self.assertEqual(self.failures(size, **limits), failures)

    def server(self) -> StartTLSTransport:
        self.log: list[object] = []
        self.taken: list[bytes] = []
        application: Any = Sender(b"", 0, lambda _: None, lambda: None)
        application.dataReceived = self.taken.append
        transport = StartTLSTransport(is_client=False)
        tls = ServerTLS.build(certificates().server)
        transport.protocol = UpgradeProtocol(
            ConnectionSettings(MODES[ModeName.STARTTLS], tls),
            RecordingListener(self.log, application),
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
        pool = self.pool(mode=mode, packets=3)
        pool.open()
        client, server = self.met()
        self.assertTrue(pool.settled)
        self.assertEqual(pool.counters().secured, 1)
        self.assertEqual(pool.peers, ["192.0.2.2:2"])
        pool.begin(Window())
        self.reactor.advance(0)
        exchange(client, server)
        self.assertEqual(self.taken, [b"x" * 10] * 3)
        self.assertEqual(pool.counters().clean, 1)
        self.assertTrue(pool.over)

    def test_it_secures_with_start_tls(self) -> None:
        self.sends_in("starttls")

    def test_it_secures_with_a_pair(self) -> None:
        self.sends_in("pair")

    def test_it_secures_wrapped(self) -> None:
        self.sends_in("wrapped")

    def test_a_handshake_begins_with_the_client_hello_in_every_mode(self) -> None:
        for mode in ("starttls", "pair", "wrapped"):
            self.setUp()
            tls = ClientTLS.build(certificates().client, "localhost")
            making = tls.make

            def make(*arguments: Any, making: Any = making) -> Any:
                # As if the computation of the ClientHello took 5 seconds.
                self.reactor.advance(5.0)
                return making(*arguments)

            self.patch(tls, "make", make)
            recorder = Recorder(self.reactor.seconds)
            pool = ConnectionPool(task(mode=mode), tls, self.reactor, recorder)
            pool.open()
            client, server = self.accept(), self.server()
            self.reactor.advance(2.0)
            exchange(client, server)
            self.assertEqual(pool.counters().secured, 1)
            latencies = recorder.take()[0]
            for name, seconds in ((HANDSHAKE, 2.0), (CONFIRMED, 7.0)):
                self.assertAlmostEqual(latencies.at(name, 50.0) or 0.0, seconds, places=2)

    def test_the_client_hello_and_finished_are_sent_before_anything_else_is_done(self) -> None:
        for mode, hellos in (("starttls", 1), ("pair", 1), ("wrapped", 0)):
            self.setUp()
            sent: list[bytes] = []
            self.patch(
                load_connection, "send_queued", lambda wire, sent=sent: sent.append(wire.take())
            )
            pool = self.pool(mode=mode)
            pool.open()
            client, server = self.accept(), self.server()
            self.assertEqual([each[5] for each in sent], [CLIENT_HELLO] * hellos)
            server.deliver(b"".join(sent) + client.take())
            del sent[:]
            client.deliver(server.take())
            # ChangeCipherSpec, and an encrypted record.
            self.assertEqual([each[0] for each in sent], [20])
            self.assertEqual(client.take(), b"")
            server.deliver(*sent)
            self.assertEqual(pool.counters().secured, 1)
            self.assertIn("secure", str(self.log))

    def test_a_rejection_that_only_shows_after_tls_1_3_was_secure_makes_it_failed(self) -> None:
        stranger = strangers().client
        pool = self.pool(replace(stranger, authority=certificates().authority))
        pool.open()
        client, server = (
            self.accept(),
            self.server(),
        )
        server.deliver(client.take())
        client.deliver(server.take())
        self.assertEqual(pool.counters().secured, 1)
        exchange(client, server)
        self.assertEqual(pool.counters().secured, 0)
        self.assertEqual(pool.counters().failed, {"rejected by peer": 1})
        self.assertTrue(pool.over)

    def test_a_server_that_is_not_to_be_trusted_is_counted_by_its_cause(self) -> None:
        pool = self.pool(strangers().client)
        pool.open()
        self.met()
        self.assertEqual(pool.counters().failed, {"certificate untrusted": 1})
        self.assertEqual(pool.counters().secured, 0)
        self.assertTrue(pool.settled)

    def test_what_is_being_secured_when_it_is_to_finish_is_aborted(self) -> None:
        pool = self.pool()
        pool.open()
        client = self.accept()
        pool.finish()
        self.assertFalse(pool.over)
        client.lose(ConnectionAborted())
        self.assertEqual(pool.counters().failed, {"aborted by us": 1})
        self.assertTrue(pool.over)
