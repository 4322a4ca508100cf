"""What is written arrives, in order, however it is sent, paced and ended."""

from __future__ import annotations

import ssl
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.support import Recorder, RecordingProducer, patch_reactor_clock
from tests.tls.half_closeable import TLS_MODES
from tests.tls.memory_ends import TLS12, TLS13, End, foreign_client, server_tls
from tlsdemo.tls import ModeName, SecurePair, Send, TransportOptions
from tlsdemo.tls.joined_writes import MAX_JOINED
from tlsdemo.tls.openssl_io import MAX_RECORD
from tlsdemo.tls.paced_sender import PORTION

SIZES = st.integers(0, 40) | st.integers(0, 3 * PORTION)
STEPS = st.lists(
    st.tuples(st.just("write"), SIZES)
    | st.tuples(st.just("list"), st.lists(st.integers(0, 40_000), max_size=5))
    | st.tuples(st.sampled_from(["turn", "take", "full", "room", "register", "unregister"]))
    | st.tuples(st.just("peer writes")),
    max_size=20,
)
ENDS = ("close", "finish", "abort", "peer closes", "wire lost")


class Sent:
    """What a peer has received of some steps and an end."""

    def __init__(
        self, mode: ModeName, send: Send, version: ssl.TLSVersion, steps: list[Any], end: str
    ) -> None:
        self.clock = Clock()
        self.written = b""
        self.registered = False
        self.peer = foreign_client(version=version)
        self.end = End(mode, server_tls(), send=send, clock=self.clock)
        self.end.secured_with(self.peer).log.clear()
        for step in steps:
            self._do(*step)
        getattr(self, "_" + end.replace(" ", "_"))()
        self.counted = self.end.stream.bytes_out
        self.end.exchange_with(self.peer)

    def _do(self, what: str, *arguments: Any) -> None:
        stream, wire = self.end.stream, self.end.transport
        if what == "write":
            stream.write(self._data(arguments[0]))
        elif what == "list":
            stream.writeSequence([self._data(size) for size in arguments[0]])
        elif what == "turn":
            self.clock.advance(0)
        elif what == "take":
            self.peer.receive(wire.take())
        elif what in ("full", "room") and wire.producer is not None:
            wire.producer.pauseProducing() if what == "full" else wire.producer.resumeProducing()
        elif what == "register" and not self.registered:
            self.registered = True
            stream.registerProducer(RecordingProducer(), True)
        elif what == "unregister" and self.registered:
            self.registered = False
            stream.unregisterProducer()
        elif what == "peer writes":
            self.peer.write(b"data")
            wire.deliver(self.peer.take())

    def _data(self, size: int) -> bytes:
        data = bytes([len(self.written) % 251]) * size
        self.written += data
        return data

    def _close(self) -> None:
        self.end.stream.loseConnection()
        self._do("unregister")

    def _finish(self) -> None:
        self.end.stream.loseWriteConnection()
        self._do("unregister")

    def _abort(self) -> None:
        self.end.stream.abortConnection()

    def _peer_closes(self) -> None:
        self.peer.receive(self.end.transport.take())
        self.peer.close()
        self.end.transport.deliver(self.peer.take())

    def _wire_lost(self) -> None:
        self.end.transport.lose(ConnectionError())


class AsWrittenTests(SynchronousTestCase):
    @settings(max_examples=150, database=None)
    @given(
        mode=st.sampled_from(TLS_MODES),
        version=st.sampled_from([TLS12, TLS13]),
        steps=STEPS,
        end=st.sampled_from(ENDS),
    )
    def test_bytes_and_order_are_the_same_raw_and_buffered(
        self, mode: ModeName, version: ssl.TLSVersion, steps: list[Any], end: str
    ) -> None:
        for send in Send:
            sent = Sent(mode, send, version, steps, end)
            self.assertEqual(sent.counted, len(sent.written))
            if end in ("abort", "wire lost"):
                self.assertTrue(sent.written.startswith(sent.peer.received))
            else:
                self.assertEqual(sent.peer.received, sent.written)
                self.assertTrue(sent.peer.closed)
            self.assertEqual(sent.clock.getDelayedCalls(), [])
            if end != "finish":
                self.assertIsNone(sent.end.transport.producer)


class BufferedTests(SynchronousTestCase):
    """Send ``buffered``, in every mode."""

    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def test_many_small_writes_are_full_records_and_one_write_of_the_transport(self) -> None:
        for mode in TLS_MODES:
            peer = foreign_client()
            end = End(mode, server_tls(), send=Send.BUFFERED, clock=self.clock).secured_with(peer)
            for _ in range(3 * MAX_RECORD // 16):
                end.stream.write(b"x" * 16)
            self.assertEqual(end.transport.take(), b"")
            self.clock.advance(0)
            self.assertEqual(len(end.transport._written), 1)
            wire = end.transport.take()
            peer.receive(wire)
            self.assertEqual(len(peer.received), 3 * MAX_RECORD)
            # The content type, 16 bytes of tag and a header of 5 (RFC 8446, section 5.2).
            self.assertEqual(len(wire), 3 * (MAX_RECORD + 22))

    def test_a_list_of_small_writes_is_sent_by_one_call(self) -> None:
        for mode in TLS_MODES:
            peer = foreign_client()
            end = End(mode, server_tls(), send=Send.BUFFERED, clock=self.clock).secured_with(peer)
            end.stream.writeSequence([b"ab"] * (MAX_JOINED // 2))
            self.assertEqual(len(end.transport._written), 1)
            peer.receive(end.transport.take())
            self.assertEqual(peer.received, b"ab" * (MAX_JOINED // 2))

    def test_a_write_that_was_looked_up_before_the_end_is_dropped(self) -> None:
        for mode in TLS_MODES:
            peer = foreign_client()
            end = End(mode, server_tls(), send=Send.BUFFERED, clock=self.clock).secured_with(peer)
            write = end.stream.write
            write(b"before")
            end.stream.loseConnection()
            write(b"after")
            self.clock.advance(0)
            end.exchange_with(peer)
            self.assertEqual((peer.received, end.stream.bytes_out), (b"before", 6))

    def test_what_was_written_before_an_abort_is_not_sent_by_the_clock(self) -> None:
        for mode in TLS_MODES:
            peer = foreign_client()
            end = End(mode, server_tls(), send=Send.BUFFERED, clock=self.clock).secured_with(peer)
            end.stream.write(b"lost")
            end.stream.abortConnection()
            self.assertEqual(self.clock.getDelayedCalls(), [])
            self.clock.advance(0)
            self.assertEqual(end.transport.take(), b"")

    def test_a_large_write_waits_in_the_clear_for_a_wire_that_is_full(self) -> None:
        for mode in TLS_MODES:
            peer = foreign_client()
            end = End(mode, server_tls(), send=Send.BUFFERED, clock=self.clock).secured_with(peer)
            producer = RecordingProducer()
            end.stream.registerProducer(producer, True)
            end.transport.producer.pauseProducing()
            end.stream.write(b"x" * (5 * PORTION))
            wire = end.transport.take()
            self.assertLess(len(wire), PORTION + MAX_RECORD)
            peer.receive(wire)
            end.transport.producer.resumeProducing()
            end.exchange_with(peer)
            self.assertEqual(len(peer.received), 5 * PORTION)
            self.assertEqual(producer.log, ["pause", "resume"])

    def test_a_pair_needs_a_clock(self) -> None:
        options = TransportOptions(send=Send.BUFFERED)
        with self.assertRaisesRegex(ValueError, "needs a clock"):
            SecurePair(server_tls(), Recorder(), transport_options=options)

    def test_the_first_bytes_are_reported_once_whoever_writes_them(self) -> None:
        peer = foreign_client()
        end = End(ModeName.PAIR, server_tls(), send=Send.BUFFERED, clock=self.clock)
        seen: list[str] = []
        end.observer.detailed = True
        end.observer.detail = lambda name, **_facts: seen.append(name)
        end.secured_with(peer)
        write = end.stream.write
        for _ in range(3):
            write(b"data")
        end.stream.write(b"data")
        self.assertEqual(seen.count("first bytes out"), 1)
        self.clock.advance(0)
        peer.receive(end.transport.take())
        self.assertEqual(peer.received, b"data" * 4)
