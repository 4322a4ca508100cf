from __future__ import annotations

import contextlib

from hypothesis import example, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import TLS12, TLS13, ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import TLSConnection, openssl_output
from tlsdemo.tls.openssl_io import MAX_RECORD
from tlsdemo.tls.openssl_output import ENCRYPT, PUBLIC, Encrypt

WAYS = {"direct": ENCRYPT, "public": PUBLIC}


def connected(version: object = TLS13) -> tuple[TLSConnection, ForeignPeer]:
    """A server's connection after the handshake, and its peer."""
    connection = server_tls().make()
    connection.set_accept_state()
    peer = foreign_client(version=version)  # type: ignore[arg-type]
    complete = False
    while not (complete and peer.complete):
        if flight := peer.take():
            connection.bio_write(flight)
        with contextlib.suppress(SSL.WantReadError):
            connection.do_handshake()
            complete = True
        with contextlib.suppress(SSL.WantReadError):
            peer.receive(connection.bio_read(1 << 16))
    return connection, peer


def lengths(wire: bytes) -> list[int]:
    """The lengths of the TLS records of ``wire``, without their headers."""
    found = []
    while wire:
        found.append(int.from_bytes(wire[3:5], "big"))
        wire = wire[5 + found[-1] :]
    return found


class EncryptTests(SynchronousTestCase):
    @settings(max_examples=40, database=None)
    @given(
        version=st.sampled_from([TLS12, TLS13]),
        size=st.integers(0, 40) | st.integers(0, 12 * MAX_RECORD),
        cut=st.integers(0, 100),
    )
    @example(TLS13, 12 * MAX_RECORD, 3)
    def test_a_part_becomes_full_records_but_for_the_last(
        self, version: object, size: int, cut: int
    ) -> None:
        data = bytes(number % 251 for number in range(size + cut + 7))
        number = -(-size // MAX_RECORD)
        for encrypt in WAYS.values():
            connection, peer = connected(version)
            stopped, wire = encrypt(connection, data, cut, cut + size)
            self.assertEqual(stopped, cut + size)
            found = lengths(wire)
            self.assertEqual(len(found), number)
            if number > 1:
                self.assertEqual(len(set(found[:-1])), 1)
                self.assertGreaterEqual(found[0], MAX_RECORD)
            peer.receive(wire)
            self.assertEqual(peer.received, data[cut : cut + size])

    def test_what_openssl_has_to_say_itself_comes_before(self) -> None:
        for encrypt in WAYS.values():
            connection, peer = connected()
            SSL.Connection.send(connection, b"before")
            _stopped, wire = encrypt(connection, b"after", 0, 5)
            peer.receive(wire)
            self.assertEqual(peer.received, b"beforeafter")

    def test_it_says_how_far_it_came_and_leaves_no_error_behind(self) -> None:
        for encrypt in WAYS.values():
            connection, _peer = connected()
            other, other_peer = connected()
            connection.shutdown()
            connection.bio_read(1 << 15)
            self.assertEqual(encrypt(connection, b"too late", 2, 8), (2, b""))
            # An error of this connection, in OpenSSL's queue, would be taken for the other's.
            self.assertRaises(SSL.WantReadError, other.recv, 100)
            other_peer.receive(encrypt(other, b"well", 0, 4)[1])
            self.assertEqual(other_peer.received, b"well")

    def test_any_buffer_can_be_encrypted(self) -> None:
        for encrypt in WAYS.values():
            for kind in (bytes, bytearray, memoryview):
                connection, peer = connected()
                data: bytes = kind(b"data")  # type: ignore[assignment]
                peer.receive(encrypt(connection, data, 0, 4)[1])
                self.assertEqual(peer.received, b"data")


class ChoiceTests(SynchronousTestCase):
    def test_public_methods_are_used_if_pyopenssls_private_names_have_changed(self) -> None:
        self.patch(SSL, "_lib", object())
        chosen: Encrypt = openssl_output.choose()
        self.assertIs(chosen, PUBLIC)
