from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import Logger, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.support import MemoryTransport, certificates
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.connection_factory import ConnectionFactory
from tlsdemo.proxy.connection_registry import ConnectionRegistry
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.proxy.sink_handler import SinkHandler
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.tls import MODES, ConnectionSettings, ModeName, ServerTLS, UpgradeProtocol


class TheFactory(SynchronousTestCase):
    mode = MODES[ModeName.CLEAR]

    def setUp(self, most: int = 0) -> None:
        self.clock = Clock()
        events = EventLog(Logger(), self.clock.seconds, first=1, every=0)
        self.accounting = Accounting(Statistics(), ConnectionRegistry(), events)
        tls = ServerTLS.build(certificates().server)
        self.factory = ConnectionFactory(
            ConnectionSettings(self.mode, tls),
            lambda listener, _: SinkHandler(listener),
            self.accounting,
            self.clock,
            ConnectionLimiter(most_of_one=most),
        )

    def accepted(self, port: int = 1) -> tuple[UpgradeProtocol, MemoryTransport]:
        protocol = self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", port))
        assert protocol is not None
        transport = MemoryTransport(protocol)
        protocol.makeConnection(transport)
        return protocol, transport

    def test_makes_a_session_for_each_connection(self) -> None:
        one, transport = self.accepted(1)
        other, _ = self.accepted(2)
        self.assertIsNot(one, other)
        self.assertIs(one.factory, self.factory)
        self.assertEqual(self.accounting.statistics.opened, 2)
        assert one.stream is not None
        transport.deliver(b"12345")
        self.assertEqual(one.stream.bytes_in, 5)

    def test_knows_connections_by_their_peers(self) -> None:
        self.accepted(25)[1].deliver(b"12345")
        self.factory.buildProtocol(None)
        entries = [self.accounting.registry.get(address) for address in ("192.0.2.1:25", "?")]
        self.assertEqual([record and record.received() for record in entries], [5, 0])

    def test_numbers_connections_for_the_log_with_the_time_since_each_began(self) -> None:
        with capturedLogs() as lines:
            for port in (1, 2):
                self.clock.advance(10)
                _, transport = self.accepted(port)
                self.clock.advance(2)
                transport.lose(ConnectionDone())
        self.assertEqual(
            {(line["connection"], line["peer"]) for line in lines}, {(1, "192.0.2.1:1")}
        )
        self.assertEqual(
            [(line["event"], line["elapsed"]) for line in lines],
            [("connected", 0), ("left in the clear", 0), ("closed", 2), ("drained", 2)],
        )

    def test_says_nothing_of_its_own(self) -> None:
        with capturedLogs() as lines:
            self.factory.doStart()
            self.factory.doStop()
        self.assertEqual(lines, [])

    def test_turns_away_those_for_whom_there_is_no_room(self) -> None:
        self.setUp(most=1)
        _, transport = self.accepted(1)
        with capturedLogs() as lines:
            self.assertIsNone(self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 2)))
        self.assertEqual(
            [formatEvent(line) for line in lines],
            ["#0 192.0.2.1:2 failed: too many connections: there are 1 already from there"],
        )
        self.assertEqual(self.accounting.statistics.failed, {"too many connections": 1})
        self.assertIsNone(self.accounting.registry.get("192.0.2.1:2"))
        self.assertIsNotNone(self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.2", 1)))
        transport.lose(ConnectionDone())
        self.accepted(3)

    def test_turns_away_also_those_without_an_address(self) -> None:
        self.setUp(most=1)
        self.assertIsNotNone(self.factory.buildProtocol(None))
        with capturedLogs() as lines:
            self.assertIsNone(self.factory.buildProtocol(None))
        self.assertEqual(lines[0]["peer"], "?")

    def test_has_all_end_in_order_and_tells_when_they_are_gone(self) -> None:
        _, transport = self.accepted()
        draining = self.factory.drain(5)
        self.assertTrue(transport.disconnecting)
        self.assertFalse(transport.aborted)
        self.assertNoResult(draining)
        transport.turn()
        self.assertIsNone(self.successResultOf(draining))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.accounting.statistics.clean, 1)

    def test_aborts_those_that_do_not_end_in_time(self) -> None:
        _, transport = self.accepted()
        draining = self.factory.drain(1)
        self.clock.advance(0.5)
        self.assertFalse(transport.aborted)
        self.clock.advance(0.5)
        self.assertTrue(transport.aborted)
        self.assertNoResult(draining)
        transport.turn()
        self.assertIsNone(self.successResultOf(draining))

    def test_aborts_all_at_once_where_there_is_no_time(self) -> None:
        _, transport = self.accepted()
        draining = self.factory.drain(0)
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertIsNone(self.successResultOf(draining))

    def test_aborts_all_and_tells_when_they_are_gone(self) -> None:
        transports = [self.accepted(port)[1] for port in (1, 2)]
        waiting: list[Deferred[None]] = [self.factory.abort_all(), self.factory.abort_all()]
        for transport in transports:
            self.assertTrue(transport.aborted)
            for deferred in waiting:
                self.assertNoResult(deferred)
            transport.turn()
        for deferred in waiting:
            self.assertIsNone(self.successResultOf(deferred))
        self.assertEqual(self.accounting.statistics.failed, {"aborted by us": 2})

    def test_has_nothing_to_wait_for_where_all_are_gone_already(self) -> None:
        self.assertIsNone(self.successResultOf(self.factory.abort_all()))
        self.accepted()[1].lose(ConnectionDone())
        self.assertIsNone(self.successResultOf(self.factory.abort_all()))

    def test_waits_only_once_for_those_who_go(self) -> None:
        _, transport = self.accepted()
        deferred = self.factory.abort_all()
        transport.turn()
        self.successResultOf(deferred)
        self.accepted()[1].lose(ConnectionDone())
