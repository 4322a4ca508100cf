"""The memory that is used for a peer that does not read, in every mode and delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fake_socket import Wire
from tests.proxy.fakes import RecordingHandlerListener, WaitingBackend
from tests.support import RecordingListener, factory_of, patch_reactor_clock
from tests.tls.memory_ends import ForeignPeer, foreign_client, server_tls
from tlsdemo.proxy.echo_handler import EchoHandler
from tlsdemo.proxy.handler import Handler
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.starttls.filters import ProtocolFilter
from tlsdemo.starttls.smtp import SmtpFilter
from tlsdemo.tls import MODES, ConnectionSettings, Delivery, ModeName, UpgradeProtocol

RECORD = 1 << 14
"""Bytes of cleartext in the longest record."""

BOUNDS = (1 << 12, 1 << 17)
MUCH = bytes(range(256)) * 2048
LINES = (b"250 " + b"x" * 58 + b"\r\n") * (1 << 13)

SCENARIOS = [(mode, delivery) for mode in ModeName for delivery in Delivery]


class Client:
    """A client of ``handler``, in the clear or over TLS; its wire reads what it has sent."""

    def __init__(
        self,
        case: SynchronousTestCase,
        handler: Handler,
        mode: ModeName,
        delivery: Delivery,
        max_buffer: int,
    ) -> None:
        self._clock = patch_reactor_clock(case)
        chosen, tls = MODES[mode], server_tls()
        options = chosen.transport_options(delivery, None, max_buffer // 2)
        settings = ConnectionSettings(chosen, tls, transport=options, max_buffer=max_buffer)
        inner = UpgradeProtocol(settings, RecordingListener([], handler), self._clock)
        protocol: Any = chosen.wrap(tls, factory_of(inner), self._clock).buildProtocol(
            None  # type: ignore[arg-type]
        )
        self.wire = Wire(protocol)
        protocol.makeConnection(self.wire)
        self._peer: ForeignPeer | None = foreign_client() if chosen.encrypts else None
        self._received = b""
        while self.turn():
            self.take()
        self.wire.was_read = 0

    def send(self, data: bytes, record: int = RECORD) -> None:
        if self._peer is None:
            self.wire.arrived += data
            return
        for start in range(0, len(data), record):
            self._peer.write(data[start : start + record])
        self.wire.arrived += self._peer.take()

    def turn(self) -> bool:
        """Read once, and do what the next turn of the reactor does; return whether it did."""
        if self._peer is not None:
            self.wire.arrived += self._peer.take()
        moved = self.wire.read()
        self._clock.advance(0)
        return moved

    def take(self) -> bytes:
        """Take all that there is; return what has been received in all."""
        taken = self.wire.take()
        if self._peer is None:
            self._received += taken
            return self._received
        self._peer.receive(taken)
        return self._peer.received


def framed(size: int, record: int = RECORD) -> int:
    """How much ``size`` bytes are on the wire, in records of TLS 1.3, or a little less."""
    return size + (size // record + 1) * 22


class BufferLimitTests(SynchronousTestCase):
    def limits(self) -> Iterator[tuple[ModeName, Delivery, int, int]]:
        """Each way and bound, with what may be kept of a client's cleartext."""
        for max_buffer in BOUNDS:
            for mode, delivery in SCENARIOS:
                once = max_buffer if mode is ModeName.CLEAR else max_buffer + RECORD
                yield mode, delivery, max_buffer, once * (2 if delivery is Delivery.READABLE else 1)

    def proxied(
        self,
        mode: ModeName,
        delivery: Delivery,
        max_buffer: int,
        protocol_filter: Callable[[], ProtocolFilter] = ProtocolFilter,
    ) -> Client:
        self.backend = WaitingBackend(max_buffer)
        proxy = ProxyHandler(RecordingHandlerListener([]), self.backend.backend, protocol_filter())
        return Client(self, proxy, mode, delivery, max_buffer)

    def exchange_everything(self, client: Client, to_backend: Wire) -> None:
        """Have everybody read and take until there is nothing more."""
        before = None
        while before != (before := self.progress(client, to_backend)):
            client.turn()
            to_backend.read()

    def progress(self, client: Client, to_backend: Wire) -> tuple[int, ...]:
        """Take all that there is; return how to_backend everybody is."""
        self.far_took += to_backend.take()
        return client.wire.was_read, to_backend.was_read, len(self.far_took), len(client.take())

    def setUp(self) -> None:
        self.far_took = b""

    def test_buffers_are_limited_for_a_backend_that_never_reads(self) -> None:
        for mode, delivery, max_buffer, allowed in self.limits():
            for record in (RECORD, 1000):
                self.setUp()
                client = self.proxied(mode, delivery, max_buffer)
                to_backend = self.backend.connect(Wire)
                client.send(MUCH, record)
                while client.turn():
                    pass
                kept = client.wire.was_read
                self.assertLessEqual(kept, framed(allowed, record), (mode, delivery))
                self.assertGreater(kept, max_buffer // 2)
                self.exchange_everything(client, to_backend)
                self.assertEqual(self.far_took, MUCH)

    def test_buffers_are_limited_for_a_backend_that_reads_slowly(self) -> None:
        for mode, delivery, max_buffer, allowed in self.limits():
            self.setUp()
            client = self.proxied(mode, delivery, max_buffer)
            to_backend = self.backend.connect(Wire)
            client.send(MUCH)
            while len(self.far_took) < len(MUCH):
                while client.turn():
                    pass
                kept = client.wire.was_read - len(self.far_took)
                frames = framed(len(MUCH)) - len(MUCH)
                self.assertLessEqual(kept, allowed + frames, (mode, delivery))
                self.far_took += to_backend.take()
            self.assertEqual(self.far_took, MUCH)

    def test_buffers_are_limited_for_a_client_that_never_reads(self) -> None:
        for mode, delivery, max_buffer, _ in self.limits():
            for protocol_filter in (ProtocolFilter, SmtpFilter):
                client = self.proxied(mode, delivery, max_buffer, protocol_filter)
                to_backend = self.backend.connect(Wire)
                if protocol_filter is SmtpFilter:
                    to_backend.arrived += b"220 ready\r\n"
                    to_backend.read()
                    to_backend.was_read = 0
                to_backend.arrived += LINES
                while to_backend.read():
                    client.turn()
                self.assertLessEqual(to_backend.was_read, max_buffer, (mode, delivery))
                self.assertGreaterEqual(to_backend.was_read, max_buffer // 2)
                self.exchange_everything(client, to_backend)
                self.assertEqual(client.take(), LINES)

    def test_buffers_are_limited_before_the_backend_has_connected_or_greeted(self) -> None:
        for mode, delivery, max_buffer, allowed in self.limits():
            self.setUp()
            client = self.proxied(mode, delivery, max_buffer, SmtpFilter)
            client.send(LINES)
            while client.turn():
                pass
            self.assertLessEqual(client.wire.was_read, framed(allowed), (mode, delivery))
            to_backend = self.backend.connect(Wire)
            while client.turn():
                pass
            self.assertLessEqual(client.wire.was_read, framed(allowed), (mode, delivery))
            to_backend.arrived += b"220 ready\r\n"
            self.exchange_everything(client, to_backend)
            self.assertEqual(self.far_took, LINES)

    def test_buffers_are_limited_for_a_client_that_does_not_read_its_echo(self) -> None:
        for mode, delivery, max_buffer, allowed in self.limits():
            for record in (RECORD, 100):
                client = Client(
                    self, EchoHandler(RecordingHandlerListener([])), mode, delivery, max_buffer
                )
                client.send(MUCH, record)
                while client.turn():
                    pass
                kept = client.wire.was_read
                self.assertLessEqual(kept, framed(allowed, record), (mode, delivery))
                self.assertGreater(kept, max_buffer // 4)
                client.take()
                while client.turn():
                    client.take()
                self.assertEqual(client.take(), MUCH)
