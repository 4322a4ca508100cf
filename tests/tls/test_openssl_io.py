from __future__ import annotations

import ssl
from itertools import cycle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.support import Recorder, factory_of
from tests.tls.memory_ends import TLS12, TLS13, ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import TLSConnection, openssl_io
from tlsdemo.tls.openssl_io import IO, MAX_DRAINED, MAX_RECORD, PUBLIC, OpenSSLIO

LARGE = b"x" * MAX_RECORD
ENDS = ("nothing", "close_notify", "FIN", "garbage", "truncated", "close_notify, then garbage")
WAYS = {"direct": IO, "public": PUBLIC}


class Stock(TLSConnection):
    """What pyOpenSSL has, but for the verification of certificates."""

    recv = SSL.Connection.recv
    bio_read = SSL.Connection.bio_read
    bio_write = SSL.Connection.bio_write
    bio_shutdown = SSL.Connection.bio_shutdown
    do_handshake = SSL.Connection.do_handshake


@implementer(IOpenSSLServerConnectionCreator)
class Creator:
    """Makes the connections of a TLS layer: stock ones, or ours with an ``OpenSSLIO``."""

    def __init__(self, io: OpenSSLIO | None, coalesce: bool) -> None:
        self.io = io
        self.coalesce = coalesce

    def serverConnectionForTLS(self, _layer: object) -> SSL.Connection:
        connection = server_tls().make()
        if self.io is None:
            return Stock(connection.get_context())
        connection._io = self.io
        connection.coalesce = self.coalesce
        return connection


class Reader:
    """A stock TLS layer over any connection; what its application has seen is in ``log``."""

    def __init__(self, io: OpenSSLIO | None, coalesce: bool = False) -> None:
        application = Recorder()
        self.log = application.log
        factory = TLSMemoryBIOFactory(Creator(io, coalesce), False, factory_of(application))
        self.layer: Any = TLSMemoryBIOProtocol(factory, application)
        self.transport = StringTransport()
        self.layer.makeConnection(self.transport)

    def answer(self) -> bytes:
        written: bytes = self.transport.value()
        self.transport.clear()
        return written

    def secured_with(self, peer: ForeignPeer) -> Reader:
        while not peer.complete:
            self.layer.dataReceived(peer.take())
            peer.receive(self.answer())
        if last := peer.take():
            self.layer.dataReceived(last)
            peer.receive(self.answer())
        self.log.clear()
        return self


def seen(
    reader: Reader, version: ssl.TLSVersion, records: list[bytes], end: str, cuts: list[int]
) -> tuple[list[bytes], list[object], bytes]:
    """Return the data and the rest of what a reader sees, and the types of what it answers."""
    peer = foreign_client(version=version)
    reader.secured_with(peer)
    peer.write(*records)
    if "close_notify" in end:
        peer.close()
    wire = peer.take()
    if "garbage" in end:
        wire += b"neither TLS nor anything else"
    if end == "truncated":
        wire = wire[:-1]
    sizes = cycle(cuts)
    while wire:
        size = next(sizes)
        reader.layer.dataReceived(wire[:size])
        wire = wire[size:]
    if end in ("FIN", "truncated") or reader.transport.disconnecting:
        reader.layer.connectionLost(Failure(ConnectionDone()))
    data = [each for each in reader.log if isinstance(each, bytes)]
    rest = [each for each in reader.log if not isinstance(each, bytes)]
    return data, rest, reader.answer()[:1]


class AsStockTests(SynchronousTestCase):
    """What is delivered is what stock Twisted delivers, whichever way it is read."""

    @settings(max_examples=60, deadline=None)
    @given(
        version=st.sampled_from([TLS12, TLS13]),
        records=st.lists(
            st.integers(1, 40).map(bytes) | st.integers(1, MAX_RECORD).map(bytes), max_size=60
        ),
        end=st.sampled_from(ENDS),
        cuts=st.lists(st.integers(1, 400) | st.integers(1, 1 << 16), min_size=1, max_size=6),
    )
    def test_bytes_order_and_end_are_those_of_stock_delivery(
        self, version: ssl.TLSVersion, records: list[bytes], end: str, cuts: list[int]
    ) -> None:
        records = [bytes([number % 251]) * len(each) for number, each in enumerate(records)]
        data, rest, answer = seen(Reader(None), version, records, end, cuts)
        for io in WAYS.values():
            self.assertEqual(seen(Reader(io), version, records, end, cuts), (data, rest, answer))
            coalesced, *others = seen(Reader(io, coalesce=True), version, records, end, cuts)
            self.assertEqual(b"".join(coalesced), b"".join(data))
            self.assertLessEqual(len(coalesced), len(data))
            self.assertEqual(others, [rest, answer])


class DrainTests(SynchronousTestCase):
    def connected(self, io: OpenSSLIO) -> tuple[TLSConnection, ForeignPeer]:
        peer = foreign_client()
        reader = Reader(io, coalesce=True).secured_with(peer)
        return reader.layer.getHandle(), peer

    def test_all_records_at_hand_are_drained_and_counted(self) -> None:
        for io in WAYS.values():
            for number in (1, 15, 16, 17, 100):
                connection, peer = self.connected(io)
                peer.write(*[b"data"] * number)
                connection.bio_write(peer.take())
                data, records, problem = io.drain(connection)
                self.assertEqual((data, records), (b"data" * number, number))
                self.assertIsInstance(problem, SSL.WantReadError)
                self.assertRaises(SSL.WantReadError, io.drain, connection)

    def test_a_drain_is_limited(self) -> None:
        for io in WAYS.values():
            connection, peer = self.connected(io)
            peer.write(*[LARGE] * 20)
            connection.bio_write(peer.take())
            full, rest = io.drain(connection), io.drain(connection)
            self.assertEqual((len(full.data), full.problem), (MAX_DRAINED, None))
            self.assertEqual((len(rest.data), rest.records), (4 * MAX_RECORD, 4))

    def test_buffers_are_released_when_many_records_have_been_drained(self) -> None:
        """As many as make the drain keep the buffer while it lasts."""
        if IO is PUBLIC:
            return
        release = SSL._lib.SSL_MODE_RELEASE_BUFFERS  # type: ignore[attr-defined]
        for released in (True, False):
            connection, peer = self.connected(IO)
            if not released:
                SSL._lib.SSL_clear_mode(connection._ssl, release)  # type: ignore[attr-defined]
            peer.write(*[b"data"] * 100)
            peer.close()
            connection.bio_write(peer.take())
            self.assertEqual(IO.drain(connection).records, 100)
            mode = SSL._lib.SSL_set_mode(connection._ssl, 0)  # type: ignore[attr-defined]
            self.assertEqual(bool(mode & release), released)

    def test_bytes_of_the_wire_may_be_of_any_kind(self) -> None:
        for io in WAYS.values():
            for kind in (bytes, bytearray, memoryview):
                connection, peer = self.connected(io)
                peer.write(b"data")
                connection.bio_write(kind(peer.take()))
                self.assertEqual(connection.recv(1 << 15), b"data")


class ChoiceTests(SynchronousTestCase):
    def test_public_methods_are_used_if_pyopenssls_private_names_have_changed(self) -> None:
        self.patch(SSL, "_lib", object())
        self.assertIs(openssl_io.choose(), PUBLIC)

    def test_stale_data_in_the_buffer_is_never_returned(self) -> None:
        self.patch(SSL.Connection, "_raise_ssl_error", lambda *_: None)
        for coalesce in (False, True):
            for said in (b"", b"neither TLS nor anything else"):
                connection = TLSConnection(SSL.Context(SSL.TLS_METHOD))
                connection.set_connect_state()
                connection.coalesce = coalesce
                connection.bio_write(said)
                self.assertRaises(SSL.WantReadError, connection.recv, 1 << 15)
                SSL._lib.ERR_clear_error()  # type: ignore[attr-defined]
