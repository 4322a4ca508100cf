from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase

from tests.testing.pins.protocols import (
    Line,
    LineClient,
    Listening,
    Shouting,
    client_options,
    factory_of,
    wrapped,
    wrapped_client,
)
from tlsdemo.testing import temporary_certificates
from tlsdemo.testing.pins import (
    SITUATIONS,
    Pin,
    Subject,
    connecting,
    observe_in_memory,
    through_endpoint,
)
from tlsdemo.testing.pins.watching import watch
from tlsdemo.tls import ClientAuth, ServerTLS, UpgradeMixin
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace


def told(trace: Trace, end: End = End.SERVER) -> list[str]:
    return [
        " ".join([mark.event.name, *(str(fact) for fact in mark.event.facts.values())])
        for mark in trace.seen
        if isinstance(mark, Mark) and mark.end is end
    ]


class Question(Protocol):
    """A client that asks, and closes after the answer."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"question")

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class Producing(Protocol):
    """Is a producer, and writes much at a time."""

    streaming = True

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        transport.registerProducer(self, self.streaming)
        transport.write(b"x" * 200_000)

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass


class InMemory(SynchronousTestCase):
    def server(self, make: Callable[[], Any], scenario: str, **more: Any) -> list[str]:
        return told(observe_in_memory(Subject(make, **more), scenario))

    def line(self, scenario: str, **more: Any) -> list[str]:
        return self.server(lambda: factory_of(Line), scenario, dialect="line", **more)

    def test_a_server_behind_a_factory_that_wraps_it_in_tls(self) -> None:
        self.assertEqual(
            self.server(wrapped, "ok"),
            ["connectionMade", r"dataReceived question\r\n", "connectionLost ConnectionDone"],
        )

    def test_with_tls_1_2(self) -> None:
        trace = observe_in_memory(Subject(wrapped, tls="1.2"), "ok")
        self.assertIn("secure TLSv1.2 None False", told(trace, End.CLIENT))

    def test_a_listener_is_told_of_its_handshake(self) -> None:
        seen = self.server(lambda: wrapped(Listening), "ok with client certificate")
        self.assertEqual(seen[:2], ["connectionMade", "handshakeCompleted False None"])

    def test_a_server_that_starts_tls(self) -> None:
        self.assertEqual(
            self.line("ok"),
            [
                "connectionMade", r"dataReceived STARTTLS\r\n", "startTLS called",
                r"dataReceived question\r\n", "connectionLost ConnectionDone",
            ],
        )  # fmt: skip

    def test_a_server_with_our_mixin(self) -> None:
        tls = ServerTLS.build(temporary_certificates().server, ClientAuth.NONE)

        class Ours(UpgradeMixin, LineReceiver):
            def lineReceived(self, line: bytes) -> None:
                if line == b"STARTTLS":
                    self.sendLine(b"OK")
                    self.start_tls(tls).addErrback(lambda failure: None)
                else:
                    self.sendLine(line.upper())

        trace = observe_in_memory(
            Subject(lambda: factory_of(Ours), dialect="line", question=b"hello\r\n"), "ok"
        )
        self.assertIn(r"received HELLO\r\n", told(trace, End.CLIENT))

    def test_a_server_that_executes_what_was_injected_answers_it_through_tls(self) -> None:
        trace = observe_in_memory(
            Subject(lambda: factory_of(Line), dialect="line", injected=b"attack\r\n"),
            "injection behind the request",
        )
        self.assertIn(r"dataReceived STARTTLS\r\nattack\r\n", told(trace))
        self.assertIn(r"received echo attack\r\n", told(trace, End.CLIENT))

    def test_a_server_that_swallows_an_early_hello_runs_into_its_timeout(self) -> None:
        seen = self.line("hello in the segment of the request")
        self.assertEqual(seen[-2:], ["startTLS called", "connectionLost ConnectionLost"])

    def test_timeouts_expire_at_once(self) -> None:
        trace = observe_in_memory(
            Subject(lambda: factory_of(Line), dialect="line"), "silent in mid-handshake"
        )
        self.assertEqual(trace.seen[-1].at, 30)
        self.assertEqual(told(trace)[-1], "connectionLost ConnectionLost")

    def test_a_timer_too_far_ahead_is_not_waited_for(self) -> None:
        class Patient(Line):
            def connectionMade(self) -> None:
                self.setTimeout(1_000_000)

        seen = self.server(lambda: factory_of(Patient), "silent in the handshake", dialect="line")
        self.assertEqual(seen[-1], "still open")

    def test_timers_without_end_are_given_up(self) -> None:
        class Ticking(Line):
            def connectionMade(self) -> None:
                self.callLater(1, self.connectionMade)

        seen = self.server(lambda: factory_of(Ticking), "silent in the handshake", dialect="line")
        self.assertEqual(seen[-1], "still open")

    def test_a_server_that_closes_is_not_answered(self) -> None:
        farewell = {"farewell": b"quit"}
        self.assertEqual(
            self.server(wrapped, "close_notify never answered", **farewell)[-1], "still open"
        )
        self.assertEqual(
            self.server(wrapped, "closed by the server", **farewell)[-1],
            "connectionLost ConnectionDone",
        )
        self.assertEqual(self.server(wrapped, "closed by the server")[-1], "still open")

    def test_an_abort_and_an_exception_end_the_connection(self) -> None:
        aborted = observe_in_memory(Subject(wrapped, question=b"abort"), "ok")
        self.assertEqual(told(aborted, End.CLIENT)[-1], "disconnected ConnectionLost")
        self.assertEqual(
            self.server(wrapped, "ok", question=b"raise")[-2:],
            ["dataReceived raised ValueError", "connectionLost ConnectionLost"],
        )

    def test_faults_of_the_network(self) -> None:
        for scenario, reason in (
            ("garbage", "connectionLost Error: http request"),
            ("EOF before the handshake", "connectionLost ConnectionLost"),
            ("EOF during the handshake", "connectionLost ConnectionLost"),
            ("truncation", "connectionLost ConnectionLost"),
            ("RST", "connectionLost ConnectionLost"),
            ("close_notify unanswered", "connectionLost ConnectionDone"),
        ):
            self.assertEqual(self.server(wrapped, scenario)[-1], reason)

    def test_what_is_lost_on_the_way_is_drawn_as_dropped(self) -> None:
        for scenario in ("silent in the handshake", "close_notify unanswered"):
            arrows = observe_in_memory(Subject(wrapped), scenario).arrows()
            self.assertIn(Fate.DROPPED, {each.fate for each in arrows})

    def test_peers_that_reject_the_server(self) -> None:
        for scenario, words in (
            ("wrong name", "bad certificate"),
            ("untrusted server", "unknown ca"),
            ("rejected by the client's application", "ConnectionDone"),
        ):
            self.assertIn(words, self.server(wrapped, scenario)[-1])

    def test_a_wrong_name_is_verified_with_the_authority_given(self) -> None:
        authority = temporary_certificates().authority
        seen = self.server(wrapped, "wrong name", authority=authority)
        self.assertIn("bad certificate", seen[-1])

    def test_no_common_version(self) -> None:
        self.assertIn("unsupported protocol", self.server(wrapped, "no common version")[-1])

    def test_a_resumed_session(self) -> None:
        trace = observe_in_memory(Subject(wrapped), "resumed")
        self.assertEqual(trace.seen[0].at, 0)
        self.assertIn("secure", told(trace, End.CLIENT)[0])

    def test_resumption_of_a_connection_that_never_was_secure(self) -> None:
        self.assertEqual(
            self.server(lambda: factory_of(Shouting), "resumed", dialect="line")[:2],
            ["connectionMade", r"dataReceived STARTTLS\r\n"],
        )

    def test_data_in_one_segment_with_finished(self) -> None:
        trace = observe_in_memory(Subject(wrapped), "data together with Finished")
        self.assertEqual(told(trace)[1], r"dataReceived question\r\n")

    def test_a_slow_reader_pauses_a_producer(self) -> None:
        seen = self.server(lambda: wrapped(Producing), "slow reader")
        self.assertEqual(
            seen[2:4], ["buffer full, producer paused", "buffer empty, producer resumed"]
        )

    def test_a_slow_reader_of_a_server_without_a_producer(self) -> None:
        seen = self.server(wrapped, "slow reader", question=b"much")
        self.assertIn("buffer full, and no producer to pause", seen)
        self.assertEqual(seen[-1], "connectionLost ConnectionDone")

    def test_a_pull_producer_is_not_paused(self) -> None:
        class Pulled(Producing):
            streaming = False

            def connectionMade(self) -> None:
                self.dataReceived(b"")

        seen = self.server(lambda: factory_of(Pulled), "slow reader", dialect="line")
        self.assertIn("buffer full, and no producer to pause", seen)
        self.assertNotIn("buffer empty, producer resumed", seen)

    def test_every_scenario_is_either_possible_or_says_why_not(self) -> None:
        for scenario in SITUATIONS:
            for subject in (
                Subject(lambda: factory_of(Line), dialect="line"),
                Subject(lambda: factory_of(LineClient), End.CLIENT, dialect="line"),
            ):
                try:
                    first = Pin(observe_in_memory(subject, scenario))
                except ValueError as problem:
                    self.assertIn("is not possible for this", str(problem))
                else:
                    again = Pin(observe_in_memory(subject, scenario))
                    self.assertEqual(first.differing(again), [])

    def test_a_factory_that_builds_nothing_is_an_error(self) -> None:
        class Nothing(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        problem = self.assertRaises(ValueError, observe_in_memory, Subject(Nothing()), "ok")
        self.assertIn("buildProtocol returned None", str(problem))


class Clients(SynchronousTestCase):
    def client(self, make: Callable[[], Any], scenario: str, **more: Any) -> Trace:
        return observe_in_memory(Subject(make, End.CLIENT, **more), scenario)

    def test_a_client_that_starts_tls(self) -> None:
        trace = self.client(lambda: factory_of(LineClient), "ok", dialect="line")
        self.assertEqual(
            told(trace, End.CLIENT),
            [
                "connectionMade", r"dataReceived OK\r\n", "startTLS called",
                r"dataReceived answer\r\n", "connectionLost ConnectionDone",
            ],
        )  # fmt: skip

    def test_what_is_injected_behind_the_go_ahead(self) -> None:
        trace = self.client(
            lambda: factory_of(LineClient), "injection behind the go-ahead", dialect="line"
        )
        self.assertEqual(told(trace, End.CLIENT)[1], r"dataReceived OK\r\nINJECTED\r\n")

    def test_nothing_is_injected_behind_anything_else(self) -> None:
        trace = self.client(
            lambda: factory_of(LineClient), "injection behind the go-ahead", dialect="smtp"
        )
        self.assertNotIn("INJECTED", " ".join(told(trace, End.CLIENT)))

    def test_a_client_that_never_asks_for_tls(self) -> None:
        trace = self.client(lambda: factory_of(Question), "ok", dialect="line")
        self.assertEqual(told(trace, End.CLIENT)[-1], "still open")

    def test_a_client_of_an_endpoint(self) -> None:
        make = through_endpoint(
            lambda endpoint: wrapClientTLS(client_options(), endpoint), lambda: factory_of(Question)
        )
        trace = self.client(make, "server writes first")
        self.assertIn("connectionLost ConnectionDone", told(trace, End.CLIENT))
        self.assertIn("close_notify received", told(trace, End.SERVER))

    def test_a_client_that_waits_for_its_endpoint(self) -> None:
        async def ask(endpoint: Any) -> None:
            tls = wrapClientTLS(client_options(), endpoint)
            protocol: Any = await tls.connect(factory_of(Protocol))
            protocol.transport.write(b"asked when connected\r\n")

        trace = self.client(
            connecting(lambda endpoint: Deferred.fromCoroutine(ask(endpoint))), "ok"
        )
        self.assertIn("received asked when connected\\r\\n", told(trace, End.SERVER))

    def test_a_client_without_a_protocol(self) -> None:
        class Busy(Factory):
            noisy = False

            def buildProtocol(self, addr: object) -> None:
                return None

        make = through_endpoint(lambda endpoint: endpoint, Busy)
        problem = self.assertRaises(ValueError, self.client, make, "ok")
        self.assertIn("built no protocol", str(problem))

    def test_what_a_client_offers_by_alpn_is_negotiated(self) -> None:
        trace = self.client(
            lambda: wrapped_client(Question, acceptableProtocols=[b"h2"]), "ok", alpn=("h2",)
        )
        self.assertIn("secure TLSv1.3 h2 False False", told(trace, End.SERVER))

    def test_servers_that_a_client_must_reject(self) -> None:
        for scenario in ("wrong name", "untrusted server"):
            trace = self.client(lambda: wrapped_client(Question), scenario)
            self.assertNotIn("received", " ".join(told(trace, End.SERVER)))

    def test_a_server_that_rejects_a_client_does_not_answer_it(self) -> None:
        trace = self.client(
            lambda: wrapped_client(Question), "rejected by the server's application"
        )
        self.assertNotIn("dataReceived", " ".join(told(trace, End.CLIENT)))

    def test_a_server_that_wants_a_certificate(self) -> None:
        trace = self.client(lambda: wrapped_client(Question), "client certificate missing")
        self.assertIn("alert", told(trace, End.CLIENT)[-1])

    def test_a_server_that_refuses_plaintext(self) -> None:
        class Babbling(Protocol):
            def connectionMade(self) -> None:
                assert self.transport is not None
                self.transport.write(b"a" * 5000 + b"\r\n")

        trace = self.client(lambda: factory_of(Babbling), "ok", dialect="line")
        self.assertTrue(told(trace, End.SERVER)[0].startswith("refused"), told(trace, End.SERVER))

    def test_records_have_no_length_that_varies_hidden_in_their_text(self) -> None:
        trace = self.client(
            lambda: factory_of(LineClient), "ok", dialect="line", hide=(b"STARTTLS",)
        )
        (first, *_) = (each for each in trace.seen if isinstance(each, Arrow))
        self.assertEqual(first.record.messages, (r"...\r\n",))


class Watching(SynchronousTestCase):
    def test_what_a_protocol_tells_itself_is_no_event(self) -> None:
        class Raw(Line):
            def lineReceived(self, line: bytes) -> None:
                self.setRawMode()
                self.setLineMode(b"x")

        seen = told(observe_in_memory(Subject(lambda: factory_of(Raw), dialect="line"), "ok"))
        self.assertEqual(seen[:2], ["connectionMade", r"dataReceived STARTTLS\r\n"])
        self.assertNotIn("dataReceived x", seen)

    def test_a_transport_without_start_tls(self) -> None:
        class Bare:
            pass

        protocol = Shouting()
        events: list[str] = []
        watch(protocol, lambda name, **facts: events.append(name))
        protocol.makeConnection(Bare())
        self.assertEqual(events, ["connectionMade"])

    def test_a_protocol_with_slots_cannot_be_watched(self) -> None:
        class Slotted:
            __slots__ = ("transport",)

            def connectionMade(self) -> None:
                pass

        make = factory_of(Shouting)
        make.buildProtocol = lambda addr: Slotted()
        problem = self.assertRaises(TypeError, observe_in_memory, Subject(make), "ok")
        self.assertIn("has __slots__", str(problem))
