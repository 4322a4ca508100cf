"""How much is kept of what a peer does not take: measured, in every mode and delivery."""

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
        most: int,
    ) -> None:
        self._clock = patch_reactor_clock(case)
        chosen, tls = MODES[mode], server_tls()
        options = chosen.transport_options(delivery, None, most // 2)
        settings = ConnectionSettings(chosen, tls, transport=options, max_buffer=most)
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


class Kept(SynchronousTestCase):
    def each(self) -> Iterator[tuple[ModeName, Delivery, int, int]]:
        """Each way and bound, with what may be kept of a client's cleartext."""
        for most in BOUNDS:
            for mode, delivery in SCENARIOS:
                once = most if mode is ModeName.CLEAR else most + RECORD
                yield mode, delivery, most, once * (2 if delivery is Delivery.READABLE else 1)

    def proxied(
        self,
        mode: ModeName,
        delivery: Delivery,
        most: int,
        protocol_filter: Callable[[], ProtocolFilter] = ProtocolFilter,
    ) -> Client:
        self.backend = WaitingBackend(most)
        proxy = ProxyHandler(RecordingHandlerListener([]), self.backend.backend, protocol_filter())
        return Client(self, proxy, mode, delivery, most)

    def until_nothing_moves(self, client: Client, far: Wire) -> None:
        """Have everybody read and take until there is nothing more."""
        before = None
        while before != (before := self.progress(client, far)):
            client.turn()
            far.read()

    def progress(self, client: Client, far: Wire) -> tuple[int, ...]:
        """Take all that there is; return how far everybody is."""
        self.far_took += far.take()
        return client.wire.was_read, far.was_read, len(self.far_took), len(client.take())

    def setUp(self) -> None:
        self.far_took = b""

    def test_for_a_backend_that_reads_nothing(self) -> None:
        for mode, delivery, most, allowed in self.each():
            for record in (RECORD, 1000):
                self.setUp()
                client = self.proxied(mode, delivery, most)
                far = self.backend.connect(Wire)
                client.send(MUCH, record)
                while client.turn():
                    pass
                kept = client.wire.was_read
                self.assertLessEqual(kept, framed(allowed, record), (mode, delivery))
                self.assertGreater(kept, most // 2)
                self.until_nothing_moves(client, far)
                self.assertEqual(self.far_took, MUCH)

    def test_for_a_backend_that_reads_now_and_then(self) -> None:
        for mode, delivery, most, allowed in self.each():
            self.setUp()
            client = self.proxied(mode, delivery, most)
            far = self.backend.connect(Wire)
            client.send(MUCH)
            while len(self.far_took) < len(MUCH):
                while client.turn():
                    pass
                kept = client.wire.was_read - len(self.far_took)
                frames = framed(len(MUCH)) - len(MUCH)
                self.assertLessEqual(kept, allowed + frames, (mode, delivery))
                self.far_took += far.take()
            self.assertEqual(self.far_took, MUCH)

    def test_for_a_client_that_reads_nothing(self) -> None:
        for mode, delivery, most, _ in self.each():
            for protocol_filter in (ProtocolFilter, SmtpFilter):
                client = self.proxied(mode, delivery, most, protocol_filter)
                far = self.backend.connect(Wire)
                if protocol_filter is SmtpFilter:
                    far.arrived += b"220 ready\r\n"
                    far.read()
                    far.was_read = 0
                far.arrived += LINES
                while far.read():
                    client.turn()
                self.assertLessEqual(far.was_read, most, (mode, delivery))
                self.assertGreaterEqual(far.was_read, most // 2)
                self.until_nothing_moves(client, far)
                self.assertEqual(client.take(), LINES)

    def test_for_a_backend_that_is_not_there_yet_or_has_not_greeted(self) -> None:
        for mode, delivery, most, allowed in self.each():
            self.setUp()
            client = self.proxied(mode, delivery, most, SmtpFilter)
            client.send(LINES)
            while client.turn():
                pass
            self.assertLessEqual(client.wire.was_read, framed(allowed), (mode, delivery))
            far = self.backend.connect(Wire)
            while client.turn():
                pass
            self.assertLessEqual(client.wire.was_read, framed(allowed), (mode, delivery))
            far.arrived += b"220 ready\r\n"
            self.until_nothing_moves(client, far)
            self.assertEqual(self.far_took, LINES)

    def test_for_a_client_that_does_not_read_its_echo(self) -> None:
        for mode, delivery, most, allowed in self.each():
            for record in (RECORD, 100):
                client = Client(
                    self, EchoHandler(RecordingHandlerListener([])), mode, delivery, most
                )
                client.send(MUCH, record)
                while client.turn():
                    pass
                kept = client.wire.was_read
                self.assertLessEqual(kept, framed(allowed, record), (mode, delivery))
                self.assertGreater(kept, most // 4)
                client.take()
                while client.turn():
                    client.take()
                self.assertEqual(client.take(), MUCH)
