from __future__ import annotations

import contextlib
from itertools import cycle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import foreign_client, server_tls
from tests.tls.negotiating_end import NegotiatingEnd
from tests.tls.test_tls_connection import ConnectionTestCase
from tlsdemo.tls import ModeName, TLSConnection, tls_connection, wire_buffers
from tlsdemo.tls.timeouts import Timeouts

RELEASES = wire_buffers.release is not wire_buffers._keep


def buffers_of(connection: TLSConnection) -> tuple[Any, Any]:
    ours: Any = connection
    return ours._into_ssl, ours._from_ssl


class ReleaseTests(ConnectionTestCase):
    @given(
        st.lists(st.binary(min_size=1, max_size=1 << 15), min_size=1, max_size=5),
        st.lists(st.integers(1, 1 << 15), min_size=1, max_size=5),
    )
    def test_nothing_is_lost_whenever_it_is_called(
        self, sent: list[bytes], cuts: list[int]
    ) -> None:
        connection, peer = self.connected(coalesce=True)
        received = b""
        peer.write(*sent)
        wire, sizes = peer.take(), cycle(cuts)
        while wire:
            size = next(sizes)
            connection.bio_write(wire[:size])
            connection.release_buffers()
            with contextlib.suppress(SSL.WantReadError):
                received += connection.recv(1 << 15)
            connection.release_buffers()
            wire = wire[size:]
        self.assertEqual(received, b"".join(sent))
        connection.send(b"answer")
        connection.release_buffers()
        peer.receive(connection.bio_read(1 << 15))
        self.assertIn(b"answer", peer.received)

    def test_only_empty_buffers_are_released(self) -> None:
        connection, peer = self.connected()
        into, out_of = buffers_of(connection)
        peer.write(b"waits")
        connection.bio_write(peer.take())
        connection.release_buffers()
        self.assertEqual(buffers_of(connection)[0], into)
        self.assertEqual(buffers_of(connection)[1] != out_of, RELEASES)

    def test_the_end_of_the_wire_is_not_forgotten(self) -> None:
        connection, _ = self.connected()
        connection.bio_shutdown()
        connection.release_buffers()
        self.assertRaises(SSL.SysCallError, connection.recv, 1 << 15)


class WhenTests(SynchronousTestCase):
    def test_they_are_released_when_the_connection_is_secure_and_when_it_is_idle(self) -> None:
        for mode in (ModeName.PAIR, ModeName.STARTTLS, ModeName.WRAPPED):
            released: list[SSL.Connection] = []
            self.patch(tls_connection, "release", released.append)
            clock = Clock()
            end = NegotiatingEnd(mode, server_tls(), None, Timeouts(idle=8), clock=clock)
            end.secured_with(foreign_client())
            self.assertEqual(len(released), 1)
            clock.advance(2)
            self.assertEqual(released, released[:1] * 2)


class ChooseTests(SynchronousTestCase):
    def test_without_a_name_of_pyopenssl_they_stay(self) -> None:
        connection = server_tls().make()
        before = buffers_of(connection)
        self.patch(SSL, "_lib", object())
        wire_buffers.choose()(connection)
        self.assertEqual(buffers_of(connection), before)

    def test_without_memory_they_stay(self) -> None:
        if not RELEASES:
            return
        ours: Any = SSL
        lib, ffi = ours._lib, ours._ffi
        full: list[bool] = []

        class Lib:
            """OpenSSL's functions, until there is no memory."""

            def __getattr__(self, name: str) -> Any:
                return getattr(lib, name)

            def BIO_new(self, method: object) -> Any:  # noqa: N802
                return ffi.NULL if full else lib.BIO_new(method)

        self.patch(SSL, "_lib", Lib())
        release = wire_buffers.choose()
        connection = server_tls().make()
        before = buffers_of(connection)
        full.append(True)
        release(connection)
        self.assertEqual(buffers_of(connection), before)
