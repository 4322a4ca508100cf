"""What an observed TLS connection reports, in memory."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import strangers
from tests.support import certificates, exchange, now, subject_of
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    anonymous,
    client_tls,
    foreign_client,
    foreign_server,
)
from tests.tls.memory_ends import End as OurEnd
from tlsdemo.tls import ClientAuth, ClientTLS, ModeName, ServerTLS, handshake_observation
from tlsdemo.tls.handshake_observation import observe_states
from tlsdemo.tls.policy import Policy, TLSVersion
from tlsdemo.trace.connection_observer import ConnectionObserver
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.timeline import Event

STATE = "OpenSSL state"
STEPS = (
    *("connected", "pair joined", "pair connected", "handshakeCompleted", "secure", "insecure"),
    *("closed", "socket lost", "connectionLost", "first bytes in", "first bytes out"),
)
"""What the upgrade and the stream report, which is tested with them."""


def server_tls(**options: Any) -> ServerTLS:
    return ServerTLS.build(certificates().server, preparations=[observe_states], **options)


def observed_client(name: str = "localhost") -> ClientTLS:
    return ClientTLS.build(certificates().client, name, preparations=[observe_states])


class Observed:
    """One observed end, and all that has been reported of it."""

    def __init__(self, end: End, tls: Any, wire: bool = True) -> None:
        self.clock = Clock()
        self.reported: list[Mark | Arrow] = []
        self.observer = ConnectionObserver(
            end, self.clock.seconds, 0.0, self.reported.append, wire=wire
        )
        self.end = OurEnd(ModeName.PAIR, tls, observer=self.observer).begin()

    @property
    def events(self) -> list[Event]:
        return [each.event for each in self.reported if isinstance(each, Mark)]

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events if event.name not in (STATE, *STEPS)]

    def event(self, name: str) -> Event:
        return next(event for event in self.events if event.name == name)

    @property
    def connection(self) -> Any:
        return self.observer.connection


class ServerTests(SynchronousTestCase):
    def test_it_reports_the_client_hello_states_and_the_certificate(self) -> None:
        for version in (TLS12, TLS13):
            seen = Observed(End.SERVER, server_tls())
            seen.end.exchange_with(foreign_client(version=version))
            self.assertEqual(seen.names, ["ClientHello seen", "certificate verified"])
            self.assertEqual(
                seen.event("certificate verified").facts["subject"],
                subject_of(certificates().client),
            )
            states = [event.facts["state"] for event in seen.events if event.name == STATE]
            self.assertEqual(states.count("handshake done"), 1)
            self.assertGreater(len(states), 5)

    def test_it_reports_why_it_rejects_a_certificate(self) -> None:
        seen = Observed(End.SERVER, server_tls())
        seen.end.exchange_with(foreign_client(credentials=anonymous()))
        self.assertEqual(seen.names[-1], "alert out")
        self.assertEqual(seen.event("alert out").facts["alert"], "fatal certificate_required")
        seen = Observed(End.SERVER, server_tls())
        seen.end.exchange_with(foreign_client(credentials=strangers().client))
        error = seen.event("certificate rejected").facts["error"]
        self.assertNotEqual(error, 0)
        self.assertEqual(seen.connection.verify_error, error)

    def test_it_reports_the_records_in_both_directions(self) -> None:
        seen = Observed(End.SERVER, server_tls())
        seen.end.exchange_with(foreign_client())
        arrows = [each for each in seen.reported if isinstance(each, Arrow)]
        self.assertEqual(arrows[0].sender, End.CLIENT)
        self.assertEqual(arrows[0].record.messages, ("client_hello",))
        self.assertEqual({arrow.sender for arrow in arrows}, set(End))

    def test_it_reports_no_records_without_wire(self) -> None:
        seen = Observed(End.SERVER, server_tls(), wire=False)
        seen.end.exchange_with(foreign_client())
        self.assertEqual([each for each in seen.reported if isinstance(each, Arrow)], [])
        self.assertIn("ClientHello seen", seen.names)

    def test_it_reports_close_notify_in_both_directions(self) -> None:
        seen = Observed(End.SERVER, server_tls())
        peer = foreign_client()
        seen.end.exchange_with(peer)
        self.assertTrue(seen.connection.observation.can_write)
        peer.close()
        seen.end.exchange_with(peer)
        self.assertEqual(seen.names[-2:], ["close_notify in", "close_notify out"])
        self.assertFalse(seen.connection.observation.can_write)

    def test_it_adds_the_state_to_each_event(self) -> None:
        seen = Observed(End.SERVER, server_tls(alpn=("http/1.1",)))
        seen.end.exchange_with(foreign_client(alpn=("http/1.1",)))
        facts = dict(seen.event("secure").facts)
        self.assertIn("TLSv1.3", str(facts.pop("agreed")))
        self.assertEqual(facts, {"peer": True, "alpn": "http/1.1", "flight": True, "write": True})
        self.assertEqual(
            seen.event("ClientHello seen").facts,
            {"peer": False, "alpn": "", "flight": True, "write": False},
        )

    def test_it_needs_no_client_certificate(self) -> None:
        seen = Observed(End.SERVER, server_tls(client_auth=ClientAuth.NONE))
        seen.end.exchange_with(foreign_client())
        self.assertEqual(seen.names, ["ClientHello seen"])


class ClientTests(SynchronousTestCase):
    def test_it_is_confirmed_by_a_ticket_or_by_the_end_of_the_handshake(self) -> None:
        for version in (TLS12, TLS13):
            seen = Observed(End.CLIENT, observed_client())
            seen.end.exchange_with(foreign_server(version=version))
            self.assertEqual(seen.names, ["certificate verified", "confirmed"], version)

    def test_it_is_confirmed_by_a_ticket_if_the_context_reports_states(
        self,
    ) -> None:
        self.patch(handshake_observation, "CAN_OBSERVE_ONE_CONNECTION", False)
        seen = Observed(End.CLIENT, observed_client())
        seen.end.exchange_with(foreign_server(version=TLS13))
        self.assertEqual(seen.names, ["certificate verified", "confirmed"])

    def test_a_connection_without_an_observer_works(self) -> None:
        self.patch(handshake_observation, "CAN_OBSERVE_ONE_CONNECTION", False)
        end = OurEnd(ModeName.PAIR, observed_client()).begin()
        end.exchange_with(foreign_server())
        self.assertIn("secure", end.log)

    def test_it_is_confirmed_only_once(self) -> None:
        seen = Observed(End.CLIENT, observed_client())
        peer = foreign_server()
        seen.end.exchange_with(peer)
        peer.write(b"one", b"two")
        seen.end.exchange_with(peer)
        self.assertEqual(seen.names.count("confirmed"), 1)
        self.assertEqual(seen.end.application.received, [b"onetwo"])

    def test_it_is_confirmed_by_the_first_bytes_if_tickets_cannot_be_seen(self) -> None:
        self.patch(handshake_observation, "CAN_OBSERVE_ONE_CONNECTION", False)
        self.patch(handshake_observation, "CAN_SEE_TICKETS", False)
        seen = Observed(End.CLIENT, client_tls())
        peer = foreign_server()
        seen.end.exchange_with(peer)
        self.assertNotIn("confirmed", seen.names)
        peer.write(b"one")
        seen.end.exchange_with(peer)
        self.assertEqual(seen.names.count("confirmed"), 1)

    def test_it_reports_a_wrong_name(self) -> None:
        seen = Observed(End.CLIENT, observed_client("wrong.example"))
        seen.end.exchange_with(foreign_server())
        rejected = seen.event("certificate rejected").facts
        self.assertIn("subject", rejected)
        self.assertNotIn("certificate verified", seen.names)

    def test_it_resumes_a_session(self) -> None:
        policy = Policy(highest=TLSVersion.TLS_1_2)
        tls = ClientTLS.build(certificates().client, "localhost", policy=policy)
        server, session = server_tls(), None
        certificates_seen = []
        for _ in range(2):
            client = Observed(End.CLIENT, tls if session is None else tls.resuming(session))
            at_server = OurEnd(ModeName.PAIR, server).begin()
            exchange(client.end.transport, at_server.transport)
            session = client.connection.get_session()
            messages = [
                message
                for each in client.reported
                if isinstance(each, Arrow)
                for message in each.record.messages
            ]
            certificates_seen.append("certificate" in messages)
        self.assertEqual(certificates_seen, [True, False])


class Stateless:
    """An observer that wants details, but neither states nor alerts."""

    detailed = True
    states = False

    def __init__(self) -> None:
        self.connection: Any = None
        self.details: list[str] = []
        self.sent: list[bool] = []

    def event(self, name: str, **facts: object) -> None:
        """Keep the names of the steps that matter here."""
        if name == "handshakeCompleted":
            self.details.append(name)

    def detail(self, name: str, **_facts: object) -> None:
        """Keep the name, unless it is tested elsewhere."""
        if name not in STEPS:
            self.details.append(name)

    def wire(self, sent: bool, data: bytes) -> None:
        """Keep in which direction bytes went."""
        self.sent.append(sent)

    def tls_created(self, connection: Any) -> None:
        """Keep the connection."""
        self.connection = connection


class StatelessTests(SynchronousTestCase):
    """What is reported to an observer that does not want OpenSSL's states."""

    def setUp(self) -> None:
        self.observer = Stateless()

    def end(self, tls: Any) -> OurEnd:
        return OurEnd(ModeName.PAIR, tls, observer=self.observer).begin()

    def test_a_client_is_confirmed_by_a_ticket_or_by_the_end_of_the_handshake(self) -> None:
        for version, order in (
            (TLS12, ["certificate verified", "confirmed", "handshakeCompleted"]),
            (TLS13, ["certificate verified", "handshakeCompleted", "confirmed"]),
        ):
            self.setUp()
            self.end(client_tls()).exchange_with(foreign_server(version=version))
            self.assertEqual(self.observer.details, order)
            self.assertEqual(self.observer.sent[:2], [True, False])

    def test_only_what_the_server_sends_then_confirms_the_client_whatever_follows_it(self) -> None:
        for following in (b"", b"close_notify", b"\x17\x03\x03\x00\x20" + bytes(32)):
            self.setUp()
            end, peer = self.end(client_tls()), foreign_server(version=TLS13)
            peer.receive(end.transport.take())
            end.transport.deliver(peer.take())
            end.transport.protocol.dataReceived(b"")
            self.assertEqual(self.observer.details[-1], "handshakeCompleted")
            peer.receive(end.transport.take())
            if following == b"close_notify":
                peer.close()
                following = b""
            end.transport.deliver(peer.take() + following)
            self.assertEqual(self.observer.details[-1], "confirmed")

    def test_a_server_reports_the_certificate_and_why_it_rejects_one(self) -> None:
        self.end(server_tls()).exchange_with(foreign_client())
        self.assertEqual(self.observer.details, ["certificate verified", "handshakeCompleted"])
        self.setUp()
        self.end(server_tls()).exchange_with(foreign_client(credentials=strangers().client))
        self.assertEqual(self.observer.details, ["certificate rejected"])

    def test_a_certificate_that_is_missing_is_reported_neither_as_good_nor_as_bad(self) -> None:
        connection = client_tls().make(self.observer)
        self.assertFalse(connection.verify_name(None))
        self.assertEqual(self.observer.details, [])

    def test_where_only_contexts_report_states_it_is_told_none_either(self) -> None:
        self.patch(handshake_observation, "CAN_OBSERVE_ONE_CONNECTION", False)
        self.end(observed_client()).exchange_with(foreign_server())
        self.assertNotIn(STATE, self.observer.details)
        self.assertIn("confirmed", self.observer.details)

    def test_where_tickets_cannot_be_seen_it_is_told_the_states_too(self) -> None:
        self.patch(handshake_observation, "CAN_SEE_TICKETS", False)
        self.end(observed_client()).exchange_with(foreign_server())
        self.assertIn(STATE, self.observer.details)
        self.assertIn("confirmed", self.observer.details)


class LastFlightTests(SynchronousTestCase):
    def test_it_is_not_written_before_openssl_is_read(self) -> None:
        server = Observed(End.SERVER, server_tls())
        peer = foreign_client()
        connection = server.connection
        connection.bio_write(peer.take())
        self.assertRaises(SSL.WantReadError, connection.do_handshake)
        self.assertFalse(connection.observation.flight_written)
        self.assertTrue(connection.bio_read(1 << 15))
        self.assertRaises(SSL.WantReadError, connection.bio_read, 1 << 15)
        self.assertTrue(connection.observation.flight_written)


class OtherConnectionTests(SynchronousTestCase):
    def test_a_connection_of_the_same_context_is_not_observed(self) -> None:
        tls = server_tls()
        seen = Observed(End.SERVER, tls)
        seen.reported.clear()
        OurEnd(ModeName.PAIR, tls).secured_with(foreign_client())
        self.assertEqual(seen.reported, [])


class PreparationTests(SynchronousTestCase):
    def test_they_apply_to_every_context_also_after_reloading(self) -> None:
        prepared: list[SSL.Context] = []
        tls = ServerTLS.build(
            certificates().server, more=[certificates().server], preparations=[prepared.append]
        )
        self.assertEqual(len(set(map(id, prepared))), 2)
        tls.reload(now())
        self.assertEqual(len(prepared), 4)
