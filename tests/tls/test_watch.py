"""What a watched connection tells, in memory."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.loadgen.fake_reactor import strangers
from tests.support import certificates, exchange, now, patch_reactor_clock, subject_of
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    anonymous,
    client_tls,
    foreign_client,
    foreign_server,
)
from tests.tls.memory_ends import End as OurEnd
from tlsdemo.tls import (
    ClientAuth,
    ClientTLS,
    KeyLog,
    ModeName,
    ServerTLS,
    Watch,
    WatchedTLS,
    watch_states,
)
from tlsdemo.tls import watch as watching
from tlsdemo.tls.policy import Policy, TLSVersion
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event

STATE = "OpenSSL state"


def server_tls(**options: Any) -> ServerTLS:
    return ServerTLS.build(certificates().server, preparations=[watch_states], **options)


def watching_client(name: str = "localhost") -> ClientTLS:
    return ClientTLS.build(certificates().client, name, preparations=[watch_states])


class Seen:
    """One watched end, and all that its watch has told."""

    def __init__(self, end: End, tls: Any, wire: bool = True, **more: Any) -> None:
        self.clock = Clock()
        self.told: list[Mark | Arrow] = []
        self.watch = Watch(end, self.clock.seconds, 0.0, self.told.append, wire)
        self.tls = WatchedTLS(tls, self.watch, **more)
        self.end = OurEnd(ModeName.PAIR, self.tls).begin()

    @property
    def events(self) -> list[Event]:
        return [each.event for each in self.told if isinstance(each, Mark)]

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events if event.name != STATE]

    def event(self, name: str) -> Event:
        return next(event for event in self.events if event.name == name)

    @property
    def connection(self) -> Any:
        return self.watch.connection


class AServer(SynchronousTestCase):
    def test_tells_of_the_hello_of_states_and_of_the_certificate(self) -> None:
        for version in (TLS12, TLS13):
            seen = Seen(End.SERVER, server_tls())
            seen.end.converse(foreign_client(version=version))
            self.assertEqual(seen.names, ["ClientHello seen", "certificate verified"])
            self.assertEqual(
                seen.event("certificate verified").facts["subject"],
                subject_of(certificates().client),
            )
            states = [event.facts["state"] for event in seen.events if event.name == STATE]
            self.assertEqual(states.count("handshake done"), 1)
            self.assertGreater(len(states), 5)

    def test_tells_why_it_rejects_a_certificate(self) -> None:
        seen = Seen(End.SERVER, server_tls())
        seen.end.converse(foreign_client(credentials=anonymous()))
        self.assertEqual(seen.names[-1], "alert out")
        self.assertEqual(seen.event("alert out").facts["alert"], "fatal certificate_required")
        seen = Seen(End.SERVER, server_tls())
        seen.end.converse(foreign_client(credentials=strangers().client))
        error = seen.event("certificate rejected").facts["error"]
        self.assertNotEqual(error, 0)
        self.assertEqual(seen.connection.verify_error, error)

    def test_tells_of_the_records_of_both_directions(self) -> None:
        seen = Seen(End.SERVER, server_tls())
        seen.end.converse(foreign_client())
        arrows = [each for each in seen.told if isinstance(each, Arrow)]
        self.assertEqual(arrows[0].sender, End.CLIENT)
        self.assertEqual(arrows[0].record.messages, ("client_hello",))
        self.assertEqual({arrow.sender for arrow in arrows}, set(End))

    def test_tells_of_no_records_where_others_do(self) -> None:
        seen = Seen(End.SERVER, server_tls(), wire=False)
        seen.end.converse(foreign_client())
        self.assertEqual([each for each in seen.told if isinstance(each, Arrow)], [])
        self.assertIn("ClientHello seen", seen.names)

    def test_tells_of_goodbyes_in_and_out(self) -> None:
        seen = Seen(End.SERVER, server_tls())
        peer = foreign_client()
        seen.end.converse(peer)
        self.assertTrue(seen.connection.true_now(lost=False)["write"])
        self.assertFalse(seen.connection.true_now(lost=True)["write"])
        peer.close()
        seen.end.converse(peer)
        self.assertEqual(seen.names[-2:], ["close_notify in", "close_notify out"])
        self.assertFalse(seen.connection.true_now(lost=False)["write"])

    def test_adds_what_is_true_to_each_event(self) -> None:
        seen = Seen(End.SERVER, server_tls(alpn=("http/1.1",)))
        seen.end.converse(foreign_client(alpn=("http/1.1",)))
        seen.watch.observe(Event("secure", 0.0, {"agreed": "yes"}))
        facts = dict(seen.event("secure").facts)
        expected = {
            "agreed": "yes",
            "peer": True,
            "alpn": "http/1.1",
            "flight": True,
            "write": True,
        }
        self.assertEqual(facts, {**expected, "write": True})
        self.assertEqual(
            seen.event("ClientHello seen").facts,
            {"peer": False, "alpn": "", "flight": True, "write": False},
        )

    def test_keeps_the_time_of_what_it_tells(self) -> None:
        seen = Seen(End.SERVER, server_tls())
        seen.clock.advance(1.5)
        seen.watch.happened("late")
        self.assertEqual(seen.event("late").at, 1.5)

    def test_tells_of_things_before_there_is_a_connection(self) -> None:
        told: list[Any] = []
        Watch(End.SERVER, lambda: 2.0, 0.5, told.append).happened("connected", peer_name="x")
        self.assertEqual(told, [Mark(End.SERVER, Event("connected", 1.5, {"peer_name": "x"}))])

    def test_needs_no_client_certificate(self) -> None:
        seen = Seen(End.SERVER, server_tls(client_auth=ClientAuth.NONE))
        seen.end.converse(foreign_client())
        self.assertEqual(seen.names, ["ClientHello seen"])


class AClient(SynchronousTestCase):
    def test_is_confirmed_by_a_ticket_or_by_the_end_of_its_handshake(self) -> None:
        for version in (TLS12, TLS13):
            seen = Seen(End.CLIENT, watching_client())
            seen.end.converse(foreign_server(version=version))
            self.assertEqual(seen.names, ["certificate verified", "confirmed"], version)

    def test_is_confirmed_by_a_ticket_also_where_states_are_told_for_a_context_as_a_whole(
        self,
    ) -> None:
        self.patch(watching, "STATES_OF_ONE", False)
        seen = Seen(End.CLIENT, watching_client())
        seen.end.converse(foreign_server(version=TLS13))
        self.assertEqual(seen.names, ["certificate verified", "confirmed"])

    def test_that_nobody_watches_is_none_the_worse_for_it(self) -> None:
        self.patch(watching, "STATES_OF_ONE", False)
        end = OurEnd(ModeName.PAIR, watching_client()).begin()
        end.converse(foreign_server())
        self.assertIn("secure", end.log)

    def test_is_confirmed_once_whatever_comes_after(self) -> None:
        seen = Seen(End.CLIENT, watching_client())
        peer = foreign_server()
        seen.end.converse(peer)
        peer.write(b"one", b"two")
        seen.end.converse(peer)
        self.assertEqual(seen.names.count("confirmed"), 1)
        self.assertEqual(seen.end.application.received, [b"onetwo"])

    def test_is_confirmed_by_the_first_bytes_where_no_state_is_told(self) -> None:
        self.patch(watching, "STATES_OF_ONE", False)
        seen = Seen(End.CLIENT, client_tls())
        peer = foreign_server()
        seen.end.converse(peer)
        self.assertNotIn("confirmed", seen.names)
        peer.write(b"one")
        seen.end.converse(peer)
        self.assertEqual(seen.names.count("confirmed"), 1)

    def test_tells_that_the_name_is_wrong(self) -> None:
        seen = Seen(End.CLIENT, watching_client("wrong.example"))
        seen.end.converse(foreign_server())
        rejected = seen.event("certificate rejected").facts
        self.assertIn("subject", rejected)
        self.assertNotIn("certificate verified", seen.names)

    def test_resumes_the_session_that_it_is_given(self) -> None:
        policy = Policy(highest=TLSVersion.TLS_1_2)
        tls = ClientTLS.build(certificates().client, "localhost", policy=policy)
        server, session = server_tls(), None
        certificates_seen = []
        for _ in range(2):
            client = Seen(End.CLIENT, tls, session=session)
            at_server = OurEnd(ModeName.PAIR, server).begin()
            exchange(client.end.transport, at_server.transport)
            session = client.connection.get_session()
            messages = [
                message
                for each in client.told
                if isinstance(each, Arrow)
                for message in each.record.messages
            ]
            certificates_seen.append("certificate" in messages)
        self.assertEqual(certificates_seen, [True, False])


class TheLastFlight(SynchronousTestCase):
    def test_is_not_written_before_it_is_taken(self) -> None:
        server = Seen(End.SERVER, server_tls())
        peer = foreign_client()
        connection = server.connection
        connection.bio_write(peer.take())
        self.assertRaises(SSL.WantReadError, connection.do_handshake)
        self.assertFalse(connection.true_now(False)["flight"])
        self.assertTrue(connection.bio_read(1 << 15))
        self.assertRaises(SSL.WantReadError, connection.bio_read, 1 << 15)
        self.assertTrue(connection.true_now(False)["flight"])


class TheCreator(SynchronousTestCase):
    def test_provides_what_twisted_asks_for(self) -> None:
        patch_reactor_clock(self)
        seen = Seen(End.SERVER, server_tls())
        verifyObject(IOpenSSLServerConnectionCreator, seen.tls)
        verifyObject(IOpenSSLClientConnectionCreator, seen.tls)
        self.assertFalse(seen.tls.is_client)
        layer: Any = None
        for make in (seen.tls.serverConnectionForTLS, seen.tls.clientConnectionForTLS):
            self.assertIs(make(layer), seen.connection)

    def test_leaves_other_connections_of_its_context_alone(self) -> None:
        tls = server_tls()
        seen = Seen(End.SERVER, tls)
        seen.told.clear()
        OurEnd(ModeName.PAIR, tls).secured_with(foreign_client())
        self.assertEqual(seen.told, [])


class Secrets(SynchronousTestCase):
    def test_are_appended_line_by_line(self) -> None:
        lines: list[bytes] = []
        for tls, peer in (
            (ServerTLS.build(certificates().server, preparations=[KeyLog(lines.append)]),
             foreign_client()),
            (ClientTLS.build(certificates().client, "localhost",
                             preparations=[KeyLog(lines.append)]), foreign_server()),
        ):  # fmt: skip
            lines.clear()
            OurEnd(ModeName.PAIR, tls).begin().converse(peer)
            self.assertIn(b"CLIENT_TRAFFIC_SECRET_0", {line.split()[0] for line in lines})
            for line in lines:
                self.assertRegex(line, rb"^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}\n$")


class Preparations(SynchronousTestCase):
    def test_are_made_for_every_context_also_when_files_are_read_anew(self) -> None:
        prepared: list[SSL.Context] = []
        tls = ServerTLS.build(
            certificates().server, more=[certificates().server], preparations=[prepared.append]
        )
        self.assertEqual(len(set(map(id, prepared))), 2)
        tls.reload(now())
        self.assertEqual(len(prepared), 4)


class TheKindOfRecord(SynchronousTestCase):
    def test_is_told_of_plain_words(self) -> None:
        told: list[Any] = []
        watch = Watch(End.SERVER, lambda: 0.0, 0.0, told.append)
        watch.passed(End.CLIENT, b"STARTTLS\r\n")
        self.assertEqual([arrow.record.kind for arrow in told], [Kind.PLAIN])
