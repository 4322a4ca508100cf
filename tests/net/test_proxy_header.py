from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.proxy_header import (
    BadProxyHeader,
    ProxyHeader,
    ProxyVersion,
    read_proxy_header,
    write_proxy_header,
)

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
FOUR = ProxyHeader((IPv4Address("192.0.2.7"), 4711), (IPv4Address("198.51.100.1"), 25))
SIX = ProxyHeader((IPv6Address("2001:db8::7"), 4711), (IPv6Address("2001:db8::1"), 25))
V1_FOUR = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"
V1_SIX = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n"


def v2(command: int, family: int, block: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(block)) + block


ENDS_OF_FOUR = bytes([192, 0, 2, 7, 198, 51, 100, 1]) + struct.pack("!HH", 4711, 25)
V2_FOUR = v2(0x21, 0x11, ENDS_OF_FOUR)
V2_SIX = v2(
    0x21,
    0x21,
    IPv6Address("2001:db8::7").packed
    + IPv6Address("2001:db8::1").packed
    + struct.pack("!HH", 4711, 25),
)
TLV = b"\x04\x00\x02\x00\x00" + b"\x20\x00\x05\x01\x00\x00\x00\x00"
UNIX = b"/run/client".ljust(108, b"\0") + b"/run/server".ljust(108, b"\0")

GOOD = {
    "version 1, IPv4": (V1_FOUR, FOUR),
    "version 1, IPv6": (V1_SIX, SIX),
    "version 1, IPv6 in capitals": (V1_SIX.replace(b"2001:db8::7", b"2001:DB8:0::7"), SIX),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", ProxyHeader()),
    "version 1, unknown, with anything": (
        b"PROXY UNKNOWN ffff::1 \x1b[31m 99999 x\r\n",
        ProxyHeader(),
    ),
    "version 2, IPv4": (V2_FOUR, FOUR),
    "version 2, IPv6": (V2_SIX, SIX),
    "version 2, with TLVs": (v2(0x21, 0x11, ENDS_OF_FOUR + TLV), FOUR),
    "version 2, with TLVs that are malformed": (v2(0x21, 0x11, ENDS_OF_FOUR + b"\x01"), FOUR),
    "version 2, LOCAL": (v2(0x20, 0, b""), ProxyHeader()),
    "version 2, LOCAL with addresses": (v2(0x20, 0x11, ENDS_OF_FOUR), ProxyHeader()),
    "version 2, LOCAL with anything": (v2(0x20, 0xFF, b"?"), ProxyHeader()),
    "version 2, unspecified": (v2(0x21, 0, TLV), ProxyHeader()),
    "version 2, UNIX": (v2(0x21, 0x31, UNIX), ProxyHeader()),
    "version 2, UDP": (v2(0x21, 0x12, ENDS_OF_FOUR), ProxyHeader()),
}

BAD = {
    b"EHLO a\r\n": "instead of a header came 'EHLO a\\r\\n'",
    b"\x16\x03\x01": "instead of a header came '\\x16\\x03\\x01'",
    b"proxy ": "instead of a header came 'proxy '",
    b"PROXYX": "instead of a header came 'PROXYX'",
    SIGNATURE[:-1] + b"\r": "instead of a header came '\\r\\n\\r\\n\\x00\\r\\nQUIT\\r'",
    b"PROXY UNKNOWN".ljust(107, b" "): "a header of version 1 has no end in its first 107 bytes",
    b"PROXY UNKNOWN\n".ljust(107, b"x") + b"\r\n": "a header of version 1 has no end in its first "
    "107 bytes",
    b"PROXY UNKNOWNS\r\n": "its header is 'PROXY UNKNOWNS'",
    b"PROXY \r\n": "its header is 'PROXY '",
    b"PROXY TCP4\r\n": "its header is 'PROXY TCP4'",
    b"PROXY TCP5 1.1.1.1 1.1.1.2 1 2\r\n": "its header is 'PROXY TCP5 1.1.1.1 1.1.1.2 1 2'",
    b"PROXY TCP4  1.1.1.1 1.1.1.2 1 2\r\n": "its header is 'PROXY TCP4  1.1.1.1 1.1.1.2 1 2'",
    b"PROXY TCP4 1.1.1.1 1.1.1.2 1\r\n": "its header is 'PROXY TCP4 1.1.1.1 1.1.1.2 1'",
    b"PROXY TCP4 1.1.1.1 1.1.1.2 1 2 3\r\n": "its header is 'PROXY TCP4 1.1.1.1 1.1.1.2 1 2 3'",
    b"PROXY TCP4 1.1.1.1 1.1.1.2 01 2\r\n": "its header is 'PROXY TCP4 1.1.1.1 1.1.1.2 01 2'",
    b"PROXY TCP4 1.1.1.1 1.1.1.2 1 -2\r\n": "its header is 'PROXY TCP4 1.1.1.1 1.1.1.2 1 -2'",
    b"PROXY TCP4 1.1.1.1 1.1.1.2 65536 2\r\n": "its header has the port 65536",
    b"PROXY TCP4 1.1.1.01 1.1.1.2 1 2\r\n": "its header is 'PROXY TCP4 1.1.1.01 1.1.1.2 1 2': "
    "Leading zeros are not permitted in '01' in '1.1.1.01'",
    b"PROXY TCP4 ::1 ::2 1 2\r\n": "its header is 'PROXY TCP4 ::1 ::2 1 2': "
    "Expected 4 octets in '::1'",
    b"PROXY TCP6 ::1%eth0 ::2 1 2\r\n": "its header is 'PROXY TCP6 ::1%eth0 ::2 1 2'",
    b"PROXY TCP4 1.1.1.\xff 1.1.1.2 1 2\r\n": "its header is 'PROXY TCP4 1.1.1.\\xff 1.1.1.2 1 2'",
    v2(0x11, 0x11, ENDS_OF_FOUR): "its header has the unknown version and command 0x11",
    v2(0x22, 0x11, ENDS_OF_FOUR): "its header has the unknown version and command 0x22",
    v2(0x21, 0x41, ENDS_OF_FOUR): "its header has the unknown address family 0x41",
    v2(0x21, 0x13, ENDS_OF_FOUR): "its header has the unknown address family 0x13",
    v2(0x21, 0x11, ENDS_OF_FOUR[:-1]): "its header has 11 bytes for the addresses, too few",
    v2(0x21, 0x21, ENDS_OF_FOUR): "its header has 12 bytes for the addresses, too few",
    v2(0x21, 0x11, ENDS_OF_FOUR + bytes(4096)): "its header has 4124 bytes, more than 4096",
    v2(0x20, 0, b"")[:14] + b"\xff\xff": "its header has 65551 bytes, more than 4096",
}


class Reading(SynchronousTestCase):
    def test_headers_and_their_length(self) -> None:
        for name, (data, expected) in GOOD.items():
            for rest in (b"", b"EHLO a\r\n", b"\x16\x03\x01", V1_FOUR):
                self.assertEqual(read_proxy_header(data + rest), (expected, len(data)), name)

    def test_they_may_come_in_pieces(self) -> None:
        for name, (data, _) in GOOD.items():
            for size in range(len(data)):
                self.assertIsNone(read_proxy_header(data[:size]), (name, size))

    def test_anything_else_is_refused(self) -> None:
        for data, expected in BAD.items():
            error = self.assertRaises(BadProxyHeader, read_proxy_header, data)
            self.assertEqual(str(error).replace("b'", "'"), expected)

    def test_it_is_refused_as_soon_as_that_is_known(self) -> None:
        for data in (b"E", b"PR\r", b"\r\n\r\nE", v2(0x31, 0, b"")[:16], b"PROXY " + bytes(101)):
            self.assertRaises(BadProxyHeader, read_proxy_header, data)

    def test_the_limit_of_version_2(self) -> None:
        self.assertEqual(read_proxy_header(V2_FOUR, most=28), (FOUR, 28))
        self.assertRaises(BadProxyHeader, read_proxy_header, V2_FOUR, most=27)

    @given(st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21"]),
           st.binary(max_size=200))  # fmt: skip
    def test_whatever_comes_is_read_or_refused(self, start: bytes, rest: bytes) -> None:
        try:
            found = read_proxy_header(start + rest)
        except BadProxyHeader as problem:
            self.assertTrue(str(problem).isprintable())
        else:
            self.assertTrue(found is None or found[1] <= len(start + rest))


class Writing(SynchronousTestCase):
    def test_both_versions(self) -> None:
        for header, one, two in ((FOUR, V1_FOUR, V2_FOUR), (SIX, V1_SIX, V2_SIX)):
            self.assertEqual(write_proxy_header(header, ProxyVersion.V1), one)
            self.assertEqual(write_proxy_header(header, ProxyVersion.V2), two)

    def test_that_the_client_uses_tls(self) -> None:
        field = b"\x20\x00\x05" + b"\x01" + b"\x00\x00\x00\x01"
        with_field = v2(0x21, 0x11, ENDS_OF_FOUR + field)
        self.assertEqual(write_proxy_header(FOUR, ProxyVersion.V2, tls=True), with_field)
        self.assertEqual(read_proxy_header(with_field), (FOUR, len(with_field)))
        self.assertEqual(write_proxy_header(FOUR, ProxyVersion.V1, tls=True), V1_FOUR)

    def test_without_addresses(self) -> None:
        for header in (ProxyHeader(), ProxyHeader(FOUR.source), ProxyHeader(None, FOUR.source)):
            self.assertEqual(write_proxy_header(header, ProxyVersion.V1), b"PROXY UNKNOWN\r\n")
            self.assertEqual(write_proxy_header(header, ProxyVersion.V2), v2(0x20, 0, b""))

    def test_addresses_of_different_families(self) -> None:
        mixed = ProxyHeader(FOUR.source, SIX.destination)
        expected = ProxyHeader((IPv6Address("::ffff:192.0.2.7"), 4711), SIX.destination)
        for version in ProxyVersion:
            data = write_proxy_header(mixed, version)
            self.assertEqual(read_proxy_header(data), (expected, len(data)))

    @given(*([st.ip_addresses(), st.integers(0, 0xFFFF)] * 2))
    def test_what_is_written_can_be_read(
        self, source: object, source_port: int, destination: object, destination_port: int
    ) -> None:
        ends = ip_address(str(source)), ip_address(str(destination))
        header = ProxyHeader((ends[0], source_port), (ends[1], destination_port))
        for version in ProxyVersion:
            data = write_proxy_header(header, version)
            found = read_proxy_header(data)
            assert found is not None
            self.assertEqual(found[1], len(data))
            if ends[0].version == ends[1].version:
                self.assertEqual(found[0], header)
