from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.support import MemoryTransport, Recorder, certificates
from tlsdemo.net.addresses import address_text
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.connection_factory import ConnectionFactory
from tlsdemo.proxy.connection_registry import ConnectionRegistry
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.proxy.proxy_header_factory import (
    FROM_LOOPBACK,
    ProxyHeaderFactory,
    ProxyHeaderSettings,
)
from tlsdemo.proxy.sink_handler import SinkHandler
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.tls import MODES, ConnectionSettings, ModeName, ServerTLS

BALANCER = IPv4Address("TCP", "127.0.0.1", 99)
HEADER = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"
FOREIGN = "it came from an address that is not in --proxy-protocol-from"


class Trust(SynchronousTestCase):
    def trusted(self, settings: ProxyHeaderSettings, *hosts: str) -> list[bool]:
        kind = [IPv6Address if ":" in host else IPv4Address for host in hosts]
        return [
            settings.trusts(make("TCP", host, 1)) for make, host in zip(kind, hosts, strict=True)
        ]

    def test_the_loopback_interface_by_default(self) -> None:
        hosts = "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "192.0.2.1", "2001:db8::1"
        self.assertEqual(self.trusted(FROM_LOOPBACK, *hosts), [True] * 4 + [False] * 2)

    def test_the_given_networks_only(self) -> None:
        settings = ProxyHeaderSettings([ip_network("192.0.2.0/24"), ip_network("fe80::/10")])
        hosts = "192.0.2.1", "::ffff:192.0.2.1", "fe80::1%eth0", "127.0.0.1", "192.0.3.1", "::1"
        self.assertEqual(self.trusted(settings, *hosts), [True] * 3 + [False] * 3)

    def test_everyone_on_a_unix_socket(self) -> None:
        self.assertTrue(ProxyHeaderSettings([]).trusts(UNIXAddress("/run/x")))

    def test_as_text(self) -> None:
        self.assertEqual(str(FROM_LOOPBACK), "127.0.0.0/8, ::1/128, UNIX sockets")


class HeaderCase(SynchronousTestCase):
    settings = FROM_LOOPBACK
    limits = (0, 0)

    def setUp(self) -> None:
        self.clock = Clock()
        events = EventLog(PrintableLogger(), self.clock.seconds, first=0, every=0)
        self.accounting = Accounting(Statistics(), ConnectionRegistry(), events)
        self.limiter = ConnectionLimiter(*self.limits)
        self.inner = ConnectionFactory(
            ConnectionSettings(MODES[ModeName.CLEAR], ServerTLS.build(certificates().server)),
            lambda listener, _: SinkHandler(listener),
            self.accounting,
            self.clock,
            self.limiter,
        )
        self.factory = ProxyHeaderFactory(
            self.inner, self.settings, self.accounting, self.limiter, self.clock
        )

    def accepted(self, address: Any = BALANCER) -> MemoryTransport:
        protocol = self.factory.buildProtocol(address)
        assert protocol is not None
        transport = MemoryTransport(protocol)
        transport.connect()
        return transport

    def received(self, client: str) -> int | None:
        record = self.accounting.registry.get(client)
        return None if record is None else record.received()

    def nothing_left(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.successResultOf(self.factory.abort_all())

    def logged(self, act: Any, *arguments: object) -> list[str]:
        with capturedLogs() as events:
            act(*arguments)
        return [str(formatEvent(event)) for event in events]


class Passing(HeaderCase):
    def test_the_connection_is_that_of_the_client(self) -> None:
        wire = self.accepted()
        self.assertEqual(self.accounting.statistics.opened, 0)
        wire.deliver(HEADER + b"12345")
        self.assertEqual(self.received("192.0.2.7:4711"), 5)
        wire.deliver(b"678")
        self.assertEqual(self.received("192.0.2.7:4711"), 8)
        self.assertEqual(address_text(wire.getPeer()), "192.0.2.7:4711")
        self.assertEqual(address_text(wire.getHost()), "198.51.100.1:25")
        self.nothing_left()

    def test_it_may_come_in_pieces(self) -> None:
        wire = self.accepted()
        for byte in HEADER + b"12":
            wire.deliver(bytes([byte]))
        self.assertEqual(self.received("192.0.2.7:4711"), 2)

    def test_of_ipv6(self) -> None:
        self.accepted().deliver(HEADER.replace(b"TCP4 192.0.2.7 198.51.100.1", b"TCP6 2::7 2::1"))
        self.assertEqual(self.received("[2::7]:4711"), 0)

    def test_without_an_address_it_is_that_of_the_sender(self) -> None:
        for header in (LOCAL, b"PROXY UNKNOWN\r\n"):
            self.setUp()
            wire = self.accepted()
            wire.deliver(header + b"1")
            self.assertEqual(self.received("127.0.0.1:99"), 1)
            self.assertEqual(address_text(wire.getPeer()), "192.0.2.1:1")

    def test_from_a_unix_socket(self) -> None:
        self.accepted(UNIXAddress(b"")).deliver(HEADER + b"1")
        self.assertEqual(self.received("192.0.2.7:4711"), 1)

    def test_what_follows_goes_to_whoever_is_the_protocol_then(self) -> None:
        class Replaced(Recorder):
            def connectionMade(self) -> None:
                self.transport.protocol = other  # type: ignore[union-attr]

        other, first = Recorder(), Replaced()
        self.patch(self.factory, "wrapped", _FactoryOf(first))
        self.accepted().deliver(HEADER + b"1")
        self.assertEqual((first.received, other.received), ([], [b"1"]))


class _FactoryOf:
    def __init__(self, protocol: Any) -> None:
        self.buildProtocol = lambda _: protocol


class Refusing(HeaderCase):
    def test_others_get_no_protocol(self) -> None:
        others: list[Any] = [None]
        address = IPv4Address("TCP", "192.0.2.9", 5)
        lines = self.logged(lambda: others.append(self.factory.buildProtocol(address)))
        self.assertIsNone(others[1])
        self.assertEqual(lines, [f"#0 192.0.2.9:5 failed: PROXY header refused: {FOREIGN}"])
        self.assertEqual(self.accounting.statistics.failed, {"PROXY header refused": 1})
        self.nothing_left()

    def test_what_is_no_header_is_closed_at_once_and_logged(self) -> None:
        wire = self.accepted()
        lines = self.logged(wire.deliver, b"EHLO a\r\n")
        self.assertEqual(
            lines,
            ["#0 127.0.0.1:99 failed: PROXY header refused: "
             "instead of a header came 'EHLO a\\r\\n'"],
        )  # fmt: skip
        self.assertFalse(wire.connected)
        self.nothing_left()

    def test_what_comes_after_it_is_ignored(self) -> None:
        wire = self.accepted()
        wire.deliver(b"X")
        wire.protocol.dataReceived(HEADER)
        self.assertEqual(self.accounting.statistics.opened, 0)

    def test_a_connection_that_ends_within_the_header_is_logged(self) -> None:
        wire = self.accepted()
        wire.deliver(HEADER[:-1])
        lines = self.logged(wire.lose, ConnectionDone())
        self.assertEqual(
            lines, ["#0 127.0.0.1:99 failed: PROXY header refused: it ended after 42 bytes"]
        )
        self.nothing_left()

    def test_a_connection_without_a_byte_is_a_probe(self) -> None:
        for reason in (ConnectionDone(), ConnectionLost()):
            wire = self.accepted()
            self.assertEqual(self.logged(wire.lose, reason), [])
        self.assertEqual(self.accounting.statistics.probes, 2)
        self.assertEqual(self.accounting.statistics.failed, {})
        self.nothing_left()

    def test_a_slow_header_is_aborted(self) -> None:
        wire = self.accepted()
        self.clock.advance(2)
        wire.deliver(HEADER[:-1])
        self.clock.advance(2.9)
        self.assertFalse(wire.aborted)
        lines = self.logged(self.clock.advance, 0.1)
        self.assertTrue(wire.aborted)
        text = "it was not complete after 5 s"
        self.assertEqual(lines, [f"#0 127.0.0.1:99 failed: PROXY header refused: {text}"])
        wire.turn()
        self.nothing_left()

    def test_a_refused_client_is_closed(self) -> None:
        self.patch(self.factory, "wrapped", _FactoryOf(None))
        wire = self.accepted()
        wire.deliver(HEADER + b"1")
        self.assertFalse(wire.connected)
        self.nothing_left()


class Settings(HeaderCase):
    settings = ProxyHeaderSettings(timeout=0, most=20)

    def test_no_deadline(self) -> None:
        self.accepted()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_longest_header(self) -> None:
        wire = self.accepted()
        lines = self.logged(wire.deliver, LOCAL[:-1] + b"\x05")
        self.assertIn("its header has 21 bytes, more than 20", lines[0])


class Limits(HeaderCase):
    limits = (3, 1)

    def test_clients_are_limited_by_their_own_address(self) -> None:
        first, second = self.accepted(), self.accepted()
        first.deliver(HEADER)
        lines = self.logged(second.deliver, HEADER.replace(b"4711", b"4712"))
        problem = (
            "too many connections: there are 1 already from there, the limit of --max-per-address"
        )
        self.assertEqual(lines, [f"#0 192.0.2.7:4712 failed: {problem}"])
        self.assertFalse(second.connected)
        self.accepted().deliver(HEADER.replace(b"0.2.7", b"0.2.8"))
        self.assertEqual(self.accounting.statistics.opened, 2)
        first.lose(ConnectionDone())
        self.accepted().deliver(HEADER)
        self.assertEqual(self.accounting.statistics.opened, 3)

    def test_connections_without_a_header_yet_count_as_well(self) -> None:
        waiting = [self.accepted() for _ in range(3)]
        lines = self.logged(self.factory.buildProtocol, BALANCER)
        problem = "too many connections: there are 3 already, the limit of --max-connections"
        self.assertEqual(lines, [f"#0 127.0.0.1:99 failed: {problem}"])
        waiting[0].deliver(HEADER)
        self.assertEqual(self.accounting.statistics.opened, 1)
        self.assertIsNone(self.factory.buildProtocol(BALANCER))
        waiting[1].lose(ConnectionDone())
        self.accepted()


class Stopping(HeaderCase):
    def test_unfinished_headers_are_aborted(self) -> None:
        wires = [self.accepted() for _ in range(3)]
        wires[0].deliver(HEADER)
        wires[1].deliver(b"PRO")
        stopping = self.factory.abort_all()
        self.assertEqual([wire.aborted for wire in wires], [False, True, True])
        wires[1].turn()
        self.assertNoResult(stopping)
        wires[2].turn()
        self.successResultOf(stopping)
        self.assertEqual(self.accounting.statistics.failed, {})
        self.nothing_left()

    def test_the_factory_itself_logs_nothing(self) -> None:
        self.assertEqual(self.logged(self.factory.doStart) + self.logged(self.factory.doStop), [])
