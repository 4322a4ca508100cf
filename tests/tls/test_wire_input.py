from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import TLSConnection
from tlsdemo.tls.openssl_io import IO, PUBLIC
from tlsdemo.tls.wire_input import VIEWED, WireInput

RECORD = b"r" * 4000
MUCH = [RECORD] * 5
"""More than is copied."""


def connected() -> tuple[TLSConnection, ForeignPeer]:
    """Return a server's connection after its handshake, and its client."""
    peer = foreign_client()
    connection = server_tls().make()
    connection.set_accept_state()
    connection.coalesce = True
    while not peer.complete:
        connection.bio_write(peer.take())
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            peer.receive(connection.bio_read(1 << 16))
    connection.bio_write(peer.take())
    connection.do_handshake()
    drained(connection)
    return connection, peer


def drained(connection: TLSConnection) -> bytes:
    """Return what can be decrypted."""
    received = b""
    while True:
        try:
            received += connection.recv(1 << 15)
        except SSL.WantReadError:
            return received


class WireInputTests(SynchronousTestCase):
    if IO is PUBLIC:
        skip = "this pyOpenSSL has not the names for it"

    def test_much_is_read_where_it_lies_and_then_let_go(self) -> None:
        connection, peer = connected()
        peer.write(*MUCH)
        wire = peer.take()
        connection.bio_write(wire)
        self.assertIs(connection.viewed, wire)
        self.assertEqual(drained(connection), b"".join(MUCH))
        self.assertEqual(connection.viewed, b"")

    def test_what_can_change_is_copied(self) -> None:
        connection, peer = connected()
        peer.write(*MUCH)
        wire = bytearray(peer.take())
        connection.bio_write(wire)
        wire[:] = bytes(len(wire))
        self.assertEqual(drained(connection), b"".join(MUCH))

    def test_it_is_referred_to_until_all_has_been_read(self) -> None:
        connection, peer = connected()
        connection.coalesce = False
        peer.write(*MUCH)
        connection.bio_write(peer.take())
        for _ in MUCH:
            self.assertTrue(connection.viewed)
            self.assertEqual(connection.recv(1 << 15), RECORD)
        self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)
        self.assertEqual(connection.viewed, b"")

    def test_it_is_not_let_go_before(self) -> None:
        connection, peer = connected()
        peer.write(*MUCH)
        connection.bio_write(peer.take())
        WireInput(SSL._ffi, SSL._lib).release(connection)  # type: ignore[attr-defined]
        self.assertTrue(connection.viewed)
        self.assertEqual(drained(connection), b"".join(MUCH))

    def test_a_record_in_pieces_is_read(self) -> None:
        connection, peer = connected()
        peer.write(b"x" * (1 << 14))
        wire = peer.take()
        connection.bio_write(wire[:VIEWED])
        self.assertEqual(drained(connection), b"")
        self.assertEqual(connection.viewed, b"")
        connection.bio_write(wire[VIEWED:])
        self.assertEqual(drained(connection), b"x" * (1 << 14))

    def test_an_end_of_file_is_found_behind_what_was_read_where_it_lay(self) -> None:
        connection, peer = connected()
        peer.write(*MUCH)
        connection.bio_write(peer.take())
        self.assertEqual(connection.recv(1 << 15), b"".join(MUCH))
        connection.bio_shutdown()
        self.assertRaises(SSL.SysCallError, connection.recv, 1 << 15)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(1, VIEWED // 8) | st.integers(1, 4 * VIEWED), st.booleans()),
            max_size=12,
        )
    )
    def test_order_is_kept_whether_or_not_all_was_read_before(
        self, pieces: list[tuple[int, bool]]
    ) -> None:
        connection, peer = connected()
        sent = b""
        for number, (size, _) in enumerate(pieces):
            sent += bytes([number]) * size
        for start in range(0, len(sent), 1000):
            peer.write(sent[start : start + 1000])
        wire, received = peer.take(), b""
        for size, reads in pieces:
            connection.bio_write(wire[:size])
            wire = wire[size:]
            if reads:
                received += drained(connection)
        connection.bio_write(wire)
        self.assertEqual(received + drained(connection), sent)
