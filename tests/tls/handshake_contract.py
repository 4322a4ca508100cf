"""What every mode that encrypts promises about ``secure`` and ``insecure``."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import ClassVar

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates, patch_reactor_clock, subject_of
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    End,
    ForeignPeer,
    anonymous,
    client_tls,
    foreign_client,
    foreign_context,
    foreign_server,
    server_tls,
)
from tlsdemo.close_reasons import Cause
from tlsdemo.tls import ModeName

SECURED: list[object] = ["handshake completed", "secure", "connected"]


class HandshakeContract(SynchronousTestCase):
    mode: ClassVar[ModeName]

    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def server(self) -> End:
        return End(self.mode, server_tls(), clock=self.clock)

    def client(self, server_name: str = "localhost") -> End:
        return End(self.mode, client_tls(server_name), clock=self.clock)

    def ends_that_receive_finished_last(self) -> Iterator[tuple[End, ForeignPeer]]:
        """Ends whose peers can send Finished and data in one segment."""
        yield self.server(), foreign_client(version=TLS13)
        yield self.client(), foreign_server(version=TLS12)
        tls = server_tls()
        context = foreign_context(ssl.PROTOCOL_TLS_CLIENT, None, TLS12)
        first = foreign_client(context=context)
        End(self.mode, tls, clock=self.clock).secured_with(first)
        again = foreign_client(context=context, session=first.tls.session)
        yield End(self.mode, tls, clock=self.clock), again
        self.assertTrue(again.tls.session_reused)

    def test_events_are_in_order_even_if_data_arrives_with_finished(self) -> None:
        for end, peer in self.ends_that_receive_finished_last():
            end.until_complete(peer)
            self.assertEqual(end.log, [])
            peer.write(b"first")
            end.transport.deliver(peer.take())
            self.assertEqual(end.log, [*SECURED, b"first"])

    def test_secure_is_called_with_the_negotiated_parameters(self) -> None:
        for version, name in ((TLS12, "TLSv1.2"), (TLS13, "TLSv1.3")):
            server, client = foreign_server(version=version), foreign_client(version=version)
            for end, peer, subject in (
                (self.server(), client, subject_of(certificates().client)),
                (self.client(), server, subject_of(certificates().server)),
            ):
                info = end.secured_with(peer).listener.info
                assert info is not None
                self.assertEqual((info.version, info.peer), (name, subject))

    def test_our_last_flight_is_written_before_secure_is_called(self) -> None:
        for end, peer in (
            (self.server(), foreign_client(version=TLS12)),
            (self.client(), foreign_server(version=TLS13)),
        ):
            complete: list[bool] = []

            def take(end: End = end, peer: ForeignPeer = peer) -> None:
                peer.receive(end.transport.take())
                complete.append(peer.complete)  # noqa: B023

            end.listener.on_secure = take
            end.begin().exchange_with(peer)
            self.assertEqual(complete, [True])

    def test_nothing_from_a_rejected_peer_is_delivered(self) -> None:
        def answer_with_none(end: End) -> None:
            end.listener.application = None

        def abort(end: End) -> None:
            end.stream.abortConnection()

        def abort_and_answer_with_none(end: End) -> None:
            abort(end)
            answer_with_none(end)

        self.check_rejection(answer_with_none, Cause.REJECTED_BY_US)
        self.check_rejection(abort, Cause.ABORTED)
        self.check_rejection(abort_and_answer_with_none, Cause.ABORTED)

    def test_an_error_in_the_secure_callback_rejects_the_peer_and_is_logged(self) -> None:
        def fail(end: End) -> None:
            raise ZeroDivisionError

        self.check_rejection(fail, Cause.REJECTED_BY_US)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)

    def check_rejection(self, reject: Callable[[End], None], cause: Cause) -> None:
        for end, peer in self.ends_that_receive_finished_last():
            end.until_complete(peer)

            def rejecting(end: End = end) -> None:
                reject(end)

            end.listener.on_secure = rejecting
            peer.write(b"one", b"two")
            end.transport.deliver(peer.take())
            self.assertTrue(end.transport.aborted)
            self.assertEqual(end.log, ["handshake completed", "secure", f"insecure: {cause.value}"])

    def test_aborting_when_the_handshake_completes_is_final(self) -> None:
        for end, peer in self.ends_that_receive_finished_last():
            end.until_complete(peer)
            end.observer.on_handshake_completed = lambda: end.stream.abortConnection()  # noqa: B023
            peer.write(b"one")
            end.transport.deliver(peer.take())
            self.assertEqual(end.log, ["handshake completed", "insecure: aborted by us"])

    def test_our_certificate_is_not_sent_to_a_server_with_another_name(self) -> None:
        for version in (TLS12, TLS13):
            for name in ("example.org", "192.0.2.7"):
                end, peer = self.client(name), foreign_server(version=version)
                end.begin().exchange_with(peer)
                self.assertFalse(peer.complete)
                self.assertEqual(end.log, ["insecure: wrong name"])
                assert end.listener.close_reason is not None
                self.assertIn(name, end.listener.close_reason.detail)

    def test_a_client_without_a_required_certificate_is_insecure(
        self,
    ) -> None:
        for version in (TLS12, TLS13):
            end = self.server().begin()
            end.exchange_with(foreign_client(credentials=anonymous(), version=version))
            self.assertEqual(end.log, ["insecure: certificate missing"])

    def test_losing_the_wire_at_any_point_of_the_handshake_is_reported(self) -> None:
        for reason in (ConnectionDone(), ConnectionLost()):
            for segments in range(3):
                end, peer = self.client().begin(), foreign_server(version=TLS12)
                for _ in range(segments):
                    peer.receive(end.transport.take())
                    end.transport.deliver(peer.take()[:-1])
                end.transport.lose(reason)
                self.assertEqual(end.log, ["insecure: handshake interrupted"])

    def test_plaintext_instead_of_tls_is_recognized(self) -> None:
        end = self.server().begin()
        end.transport.deliver(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(end.log, ["insecure: plain bytes instead of TLS"])

    def test_closing_before_secure_aborts(self) -> None:
        end = self.client().begin()
        end.stream.loseConnection()
        self.assertTrue(end.transport.aborted)
        end.transport.turn()
        self.assertEqual(end.log, ["insecure: aborted by us"])

    def test_writing_before_secure_is_an_error(self) -> None:
        end = self.client().begin()
        self.assertRaises(RuntimeError, end.stream.write, b"too early")

    def test_pausing_delays_the_handshake(self) -> None:
        end, peer = self.server().begin(), foreign_client()
        end.stream.pauseProducing()
        end.exchange_with(peer)
        self.assertEqual(end.log, [])
        end.stream.resumeProducing()
        end.transport.turn()
        end.exchange_with(peer)
        self.assertEqual(end.log, SECURED)

    def test_pausing_and_resuming_at_once_loses_nothing(self) -> None:
        for when in ("secure", "connected"):
            for end, peer in self.ends_that_receive_finished_last():
                end.until_complete(peer)

                def pause_and_resume(end: End = end) -> None:
                    end.stream.pauseProducing()
                    end.stream.resumeProducing()
                    end.log.append("resumed")

                if when == "secure":
                    end.listener.on_secure = pause_and_resume
                else:
                    end.application.on_connected = pause_and_resume
                peer.write(b"data")
                end.transport.deliver(peer.take())
                expected = [*SECURED, b"data"]
                expected.insert(expected.index(when) + 1, "resumed")
                self.assertEqual(end.log, expected)
                self.assertFalse(end.transport.paused)
