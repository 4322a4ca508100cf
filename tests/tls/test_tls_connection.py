from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any
from unittest import mock

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import VerificationError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import TLSConnection
from tlsdemo.tls import tls_connection as connection_module
from tlsdemo.tls.error_reasons import close_reason_of

LARGE = b"x" * (1 << 14)


class ConnectionTestCase(SynchronousTestCase):
    def connected(self, coalesce: bool = False) -> tuple[TLSConnection, ForeignPeer]:
        """A server's connection, and its client; their handshake is complete."""
        connection = server_tls().serverConnectionForTLS(None)  # type: ignore[arg-type]
        connection.set_accept_state()
        if coalesce:
            connection.coalesce = True
        peer = foreign_client()
        for _ in range(2):
            connection.bio_write(peer.take())
            with contextlib.suppress(SSL.WantReadError):
                connection.do_handshake()
            peer.receive(connection.bio_read(1 << 15))
        self.assertTrue(peer.complete)
        return connection, peer

    def receive_all(self, connection: TLSConnection) -> list[bytes]:
        received = []
        while True:
            try:
                received.append(connection.recv(1 << 15))
            except SSL.WantReadError:
                return received


class UnobservedTests(ConnectionTestCase):
    def test_there_is_nothing_to_note_when_the_wire_ends(self) -> None:
        connection, _ = self.connected()
        connection.wire_ended()
        self.assertIsNone(connection.observation)


class SilentTests(SynchronousTestCase):
    def test_a_server_does_nothing_before_the_first_byte(self) -> None:
        shakes: list[TLSConnection] = []
        self.patch(SSL.Connection, "do_handshake", lambda each: shakes.append(each))
        connection = server_tls().make()
        connection.set_accept_state()
        self.assertRaises(SSL.WantReadError, connection.do_handshake)
        self.assertEqual(shakes, [])
        connection.bio_write(foreign_client().take())
        connection.do_handshake()
        self.assertEqual(shakes, [connection])


class ReceiveTests(ConnectionTestCase):
    def test_it_returns_one_record(self) -> None:
        connection, peer = self.connected()
        peer.write(b"one", b"two")
        connection.bio_write(peer.take())
        self.assertEqual(self.receive_all(connection), [b"one", b"two"])
        self.assertEqual(connection.records, 2)

    def test_it_returns_everything_if_coalescing(self) -> None:
        connection, peer = self.connected(coalesce=True)
        peer.write(b"one", b"two")
        connection.bio_write(peer.take())
        self.assertEqual(self.receive_all(connection), [b"onetwo"])
        self.assertEqual(connection.records, 2)

    def test_coalescing_is_limited(self) -> None:
        connection, peer = self.connected(coalesce=True)
        peer.write(*[LARGE] * 20)
        connection.bio_write(peer.take())
        received = self.receive_all(connection)
        self.assertEqual([len(data) for data in received], [16 * len(LARGE), 4 * len(LARGE)])

    def test_an_error_is_raised_after_the_data_before_it(self) -> None:
        for coalesce in (False, True):
            connection, peer = self.connected(coalesce)
            peer.write(b"data")
            peer.close()
            connection.bio_write(peer.take())
            self.assertEqual(connection.recv(1 << 15), b"data")
            for _ in range(2):
                self.assertRaises(SSL.ZeroReturnError, connection.recv, 1 << 15)

    def test_an_error_without_data_before_it_is_raised_at_once(self) -> None:
        for coalesce in (False, True):
            connection, peer = self.connected(coalesce)
            peer.close()
            connection.bio_write(peer.take())
            self.assertRaises(SSL.ZeroReturnError, connection.recv, 1 << 15)

    def test_it_returns_nothing_while_held(self) -> None:
        for coalesce in (False, True):
            connection, peer = self.connected(coalesce)
            connection.held = True
            peer.write(b"data")
            peer.close()
            connection.bio_write(peer.take())
            self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)
            connection.held = False
            self.assertEqual(connection.recv(1 << 15), b"data")

    def test_an_empty_write_is_allowed(self) -> None:
        connection, peer = self.connected()
        peer.write(b"data")
        wire = peer.take()
        self.assertEqual(connection.bio_write(wire), len(wire))
        self.assertEqual(connection.bio_write(b""), 0)
        self.assertEqual(connection.recv(1 << 15), b"data")


class FlushTests(ConnectionTestCase):
    def test_it_writes_everything_that_is_ready_to_the_transport(self) -> None:
        class Layer:
            transport: Any

        connection, peer = self.connected()
        for _ in range(3):
            connection.send(LARGE)
        written: list[bytes] = []
        Layer.transport = type("Transport", (), {"write": written.append})
        connection.flush_into(Layer)  # type: ignore[arg-type]
        self.assertGreater(len(written), 1)
        peer.receive(b"".join(written))
        self.assertEqual(peer.received, LARGE * 3)


class VerifyNameTests(SynchronousTestCase):
    def connection(self, verify: Any = None) -> TLSConnection:
        return TLSConnection(SSL.Context(SSL.TLS_METHOD), verify)

    def test_any_name_is_accepted_if_none_is_expected(self) -> None:
        self.assertTrue(self.connection().verify_name(X509()))
        self.assertTrue(self.connection().verify_name(None))

    def test_the_name_is_verified_once(self) -> None:
        verified: list[X509] = []
        connection, certificate = self.connection(verified.append), X509()
        self.assertTrue(connection.verify_name(certificate))
        self.assertTrue(connection.verify_name(certificate))
        self.assertEqual(verified, [certificate])

    def test_the_reason_for_a_rejection_is_kept(self) -> None:
        for error in (VerificationError(errors=[]), ValueError("unreadable"), RuntimeError()):

            def refuse(_certificate: X509, error: Exception = error) -> None:
                raise error

            connection = self.connection(refuse)
            self.assertFalse(connection.verify_name(X509()))
            self.assertFalse(connection.verify_name(X509()))
            self.assertIs(connection.name_error, error)

    def test_a_peer_without_a_certificate_is_rejected_if_a_name_is_expected(self) -> None:
        connection = self.connection(lambda certificate: None)
        self.assertFalse(connection.verify_name(None))
        self.assertIn("there is none", str(connection.name_error))


class FloodTests(ConnectionTestCase):
    """Records without application data, as KeyUpdates are; no library here can send those."""

    def test_too_many_bytes_without_application_data_end_the_connection(self) -> None:
        for coalesce in (False, True):
            connection, peer = self.connected(coalesce)
            peer.write(b"data")
            connection.bio_write(peer.take())
            self.assertEqual(connection.recv(1 << 15), b"data")
            nothing = replace(connection._io, receive=self.nothing, drain=self.nothing)
            with mock.patch.object(connection, "_io", nothing):
                connection.bio_write(bytes(connection_module._MAX_WITHOUT_DATA))
                self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)
                connection.bio_write(b"x")
                error = self.assertRaises(SSL.Error, connection.recv, 1 << 15)
            close_reason = close_reason_of(Failure(error), connection, True)
            self.assertEqual(
                str(close_reason),
                "protocol error: too many messages without application data, such as KeyUpdates",
            )

    def nothing(self, *_arguments: object) -> Any:
        raise SSL.WantReadError

    def test_a_peer_that_asks_for_too_many_answers_is_not_answered_for_ever(self) -> None:
        """Such as with KeyUpdates that request one: it may not read them, and sends some data."""
        connection, peer = self.connected()
        answer = bytes(27)
        answering = replace(connection._io, for_wire=lambda *_: answer)
        with mock.patch.object(connection, "_io", answering):
            for number in range(10_000):
                connection.bio_read(1 << 15)
                if number % 100 == 0:
                    peer.write(b"x")
                    connection.bio_write(peer.take())
                    self.assertEqual(connection.recv(1 << 15), b"x")
                try:
                    connection.recv(1 << 15)
                except SSL.WantReadError:
                    continue
                except SSL.Error as error:
                    problem = str(close_reason_of(Failure(error), connection, True))
                    break
        # Its handshake's last flight counts too.
        self.assertTrue(4500 < number < (1 << 17) // len(answer), number)
        self.assertEqual(problem, "protocol error: too many messages that have to be answered")

    def test_answers_are_limited_by_what_is_received(self) -> None:
        connection, _ = self.connected()
        answering = replace(connection._io, for_wire=lambda *_: bytes(1 << 17))
        with mock.patch.object(connection, "_io", answering):
            for turn in (1, 2):
                connection.bio_read(1 << 15)
                connection.records += turn << 21
                self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)

    def test_records_that_we_encrypt_are_no_answers(self) -> None:
        connection, peer = self.connected()
        for _ in range(3):
            peer.receive(connection.encrypt(LARGE, 4))
        self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)

    def test_application_data_begins_the_count_anew(self) -> None:
        connection, peer = self.connected()
        for _ in range(3):
            peer.write(LARGE)
            connection.bio_write(peer.take())
            self.assertEqual(connection.recv(1 << 15), LARGE)
        self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)

    def test_what_is_held_back_is_not_counted_against_the_peer(self) -> None:
        connection, peer = self.connected()
        peer.write(LARGE, LARGE, LARGE)
        connection.held = True
        connection.bio_write(peer.take())
        self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)
        connection.held = False
        self.assertEqual(self.receive_all(connection), [LARGE] * 3)
