from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.support import MemoryTransport, certificates
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.connection_factory import ConnectionFactory
from tlsdemo.proxy.connection_registry import ConnectionRegistry
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.proxy.sink_handler import SinkHandler
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.tls import MODES, ConnectionSettings, ModeName, ServerTLS, UpgradeProtocol


class ConnectionFactoryTests(SynchronousTestCase):
    mode = MODES[ModeName.CLEAR]

    def setUp(self, limit_per_host: int = 0) -> None:
        self.clock = Clock()
        events = EventLog(PrintableLogger(), self.clock.seconds, first=1, every=0)
        self.accounting = Accounting(Statistics(), ConnectionRegistry(), events)
        tls = ServerTLS.build(certificates().server)
        self.factory = ConnectionFactory(
            ConnectionSettings(self.mode, tls),
            lambda listener, _: SinkHandler(listener),
            self.accounting,
            self.clock,
            ConnectionLimiter(limit_per_host=limit_per_host),
        )

    def accepted(self, port: int = 1) -> tuple[UpgradeProtocol, MemoryTransport]:
        protocol = self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", port))
        assert protocol is not None
        transport = MemoryTransport(protocol)
        protocol.makeConnection(transport)
        return protocol, transport

    def test_it_makes_an_upgrade_protocol_for_each_connection(self) -> None:
        one, transport = self.accepted(1)
        other, _ = self.accepted(2)
        self.assertIsNot(one, other)
        self.assertIs(one.factory, self.factory)
        self.assertEqual(self.accounting.statistics.opened, 2)
        assert one.stream is not None
        transport.deliver(b"12345")
        self.assertEqual(one.stream.bytes_in, 5)

    def test_connections_are_recorded_by_the_address_of_their_peer(self) -> None:
        self.accepted(25)[1].deliver(b"12345")
        self.factory.buildProtocol(None)
        entries = [self.accounting.registry.get(address) for address in ("192.0.2.1:25", "?")]
        self.assertEqual([record and record.received() for record in entries], [5, 0])

    def test_connections_are_numbered_and_timed_in_the_log(self) -> None:
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

    def test_the_factory_itself_logs_nothing(self) -> None:
        with capturedLogs() as lines:
            self.factory.doStart()
            self.factory.doStop()
        self.assertEqual(lines, [])

    def test_connections_above_the_limit_are_refused(self) -> None:
        self.setUp(limit_per_host=1)
        _, transport = self.accepted(1)
        with capturedLogs() as lines:
            self.assertIsNone(self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 2)))
        self.assertEqual(
            [formatEvent(line) for line in lines],
            [
                "#0 192.0.2.1:2 failed: too many connections: there are 1 already from there, "
                "the limit of --max-per-address"
            ],
        )
        self.assertEqual(self.accounting.statistics.failed, {"too many connections": 1})
        self.assertIsNone(self.accounting.registry.get("192.0.2.1:2"))
        self.assertIsNotNone(self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.2", 1)))
        transport.lose(ConnectionDone())
        self.accepted(3)

    def test_connections_without_an_address_are_limited_too(self) -> None:
        self.setUp(limit_per_host=1)
        self.assertIsNotNone(self.factory.buildProtocol(None))
        with capturedLogs() as lines:
            self.assertIsNone(self.factory.buildProtocol(None))
        self.assertEqual(lines[0]["peer"], "?")

    def test_drain_closes_all_connections_in_order(self) -> None:
        _, transport = self.accepted()
        draining = self.factory.drain(5)
        self.assertTrue(transport.disconnecting)
        self.assertFalse(transport.aborted)
        self.assertNoResult(draining)
        transport.turn()
        self.assertIsNone(self.successResultOf(draining))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.accounting.statistics.clean, 1)

    def test_drain_aborts_connections_that_do_not_end_in_time(self) -> None:
        _, transport = self.accepted()
        draining = self.factory.drain(1)
        self.clock.advance(0.5)
        self.assertFalse(transport.aborted)
        self.clock.advance(0.5)
        self.assertTrue(transport.aborted)
        self.assertNoResult(draining)
        transport.turn()
        self.assertIsNone(self.successResultOf(draining))

    def test_drain_without_time_aborts_all_connections(self) -> None:
        _, transport = self.accepted()
        draining = self.factory.drain(0)
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertIsNone(self.successResultOf(draining))

    def test_abort_all_fires_when_all_connections_have_ended(self) -> None:
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

    def test_drain_fires_at_once_without_connections(self) -> None:
        self.assertIsNone(self.successResultOf(self.factory.abort_all()))
        self.accepted()[1].lose(ConnectionDone())
        self.assertIsNone(self.successResultOf(self.factory.abort_all()))

    def test_each_drain_fires_once(self) -> None:
        _, transport = self.accepted()
        deferred = self.factory.abort_all()
        transport.turn()
        self.successResultOf(deferred)
        self.accepted()[1].lose(ConnectionDone())
