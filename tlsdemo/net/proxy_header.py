"""The header of the PROXY protocol, versions 1 and 2: read and written, as bytes.

It is specified by HAProxy's doc/proxy-protocol.txt.  The parsers of ``twisted.protocols.haproxy``
are not used: they are private, need the first 16 bytes in one piece, do not verify addresses and
ports, and do not limit the length.
"""

from __future__ import annotations

import enum
import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

MAX_HEADER = 4096
"""Default limit of a header of version 2, in bytes; one of version 1 has at most 107."""

_V1, _SIGNATURE = b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"
_V1_MOST = 107
_V1_ADDRESSES = re.compile(rb"TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ([0-9]+) ([0-9]+)")
_PORT = re.compile(rb"0|[1-9][0-9]{0,4}")
_V2_FIXED = 16
_LOCAL, _PROXY = 0x20, 0x21
_V2_ADDRESSES: dict[int, tuple[str, type[IPv4Address] | type[IPv6Address]]] = {
    0x11: ("!4s4sHH", IPv4Address),
    0x21: ("!16s16sHH", IPv6Address),
}
_CLIENT_USES_TLS = struct.pack("!BHBI", 0x20, 5, 0x01, 1)
"""The field PP2_TYPE_SSL with PP2_CLIENT_SSL, and no certificate verified."""

_MOST_QUOTED = 40

IPAddress = IPv4Address | IPv6Address


class BadProxyHeader(Exception):
    """What has arrived is not a header of the PROXY protocol; the text says why."""


class ProxyVersion(enum.Enum):
    """The versions of the PROXY protocol."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True)
class ProxyHeader:
    """The two ends of a TCP connection, each an address and a port: the client's, and the server's.

    ``None`` if the header does not say: in that case those of the connection itself apply.
    """

    source: tuple[IPAddress, int] | None = None
    destination: tuple[IPAddress, int] | None = None


def read_proxy_header(data: bytes, most: int = MAX_HEADER) -> tuple[ProxyHeader, int] | None:
    """Return the header that ``data`` begins with, and its length; ``None`` if it is incomplete.

    ``LOCAL``, ``UNKNOWN``, UNIX sockets and UDP have no addresses that could be used.  The fields
    that may follow the addresses (TLV) are ignored.

    Raises BadProxyHeader, as soon as that is known, if ``data`` begins with anything else, or with
    a header of version 2 that is longer than ``most`` bytes.
    """
    if data.startswith(_SIGNATURE):
        return _read_v2(data, most)
    if data.startswith(_V1):
        return _read_v1(data)
    if _SIGNATURE.startswith(data) or _V1.startswith(data):
        return None
    raise BadProxyHeader(f"instead of a header came {_quoted(data)}")


def _quoted(data: bytes) -> str:
    return ascii(data[:_MOST_QUOTED])[1:]


def _read_v1(data: bytes) -> tuple[ProxyHeader, int] | None:
    end = data.find(b"\r\n", 0, _V1_MOST) + 2
    if end < 2:
        if len(data) < _V1_MOST:
            return None
        raise BadProxyHeader(f"a header of version 1 has no end in its first {_V1_MOST} bytes")
    rest = data[len(_V1) : end - 2]
    if rest == b"UNKNOWN" or rest.startswith(b"UNKNOWN "):
        return ProxyHeader(), end
    match = _V1_ADDRESSES.fullmatch(rest)
    if match is None or not all(_PORT.fullmatch(port) for port in match.group(4, 5)):
        raise BadProxyHeader(f"its header is {_quoted(data[: end - 2])}")
    family = IPv4Address if match[1] == b"4" else IPv6Address
    try:
        source, destination = (family(each.decode("ascii")) for each in match.group(2, 3))
    except ValueError as problem:
        raise BadProxyHeader(f"its header is {_quoted(data[: end - 2])}: {problem}") from None
    ports = int(match[4]), int(match[5])
    if max(ports) > 0xFFFF:
        raise BadProxyHeader(f"its header has the port {max(ports)}")
    return ProxyHeader((source, ports[0]), (destination, ports[1])), end


def _read_v2(data: bytes, most: int) -> tuple[ProxyHeader, int] | None:
    if len(data) < _V2_FIXED:
        return None
    command, family, length = struct.unpack_from("!BBH", data, len(_SIGNATURE))
    end = _V2_FIXED + length
    if command not in (_LOCAL, _PROXY):
        raise BadProxyHeader(f"its header has the unknown version and command {command:#04x}")
    if end > most:
        raise BadProxyHeader(f"its header has {end} bytes, more than {most}")
    if command == _PROXY and (family >> 4 > 3 or family & 0xF > 2):
        raise BadProxyHeader(f"its header has the unknown address family {family:#04x}")
    if command == _LOCAL or family not in _V2_ADDRESSES:
        return (ProxyHeader(), end) if len(data) >= end else None
    layout, address = _V2_ADDRESSES[family]
    if length < struct.calcsize(layout):
        raise BadProxyHeader(f"its header has {length} bytes for the addresses, too few")
    if len(data) < end:
        return None
    source, destination, *ports = struct.unpack_from(layout, data, _V2_FIXED)
    return ProxyHeader((address(source), ports[0]), (address(destination), ports[1])), end


def write_proxy_header(header: ProxyHeader, version: ProxyVersion, tls: bool = False) -> bytes:
    """Return the bytes of a header.

    ``tls``: whether the client uses TLS, which only version 2 can say; that it has presented a
    certificate is not said.  Without addresses, the header is ``UNKNOWN`` or ``LOCAL``.  If only
    one of them is of IPv4, that becomes an address of IPv6 which is mapped to it (RFC 4291, section
    2.5.5.2).
    """
    if header.source is None or header.destination is None:
        unknown = _SIGNATURE + struct.pack("!BBH", _LOCAL, 0, 0)
        return _V1 + b"UNKNOWN\r\n" if version is ProxyVersion.V1 else unknown
    (source, source_port), (destination, destination_port) = header.source, header.destination
    if source.version != destination.version:
        source, destination = _mapped(source), _mapped(destination)
    if version is ProxyVersion.V1:
        ports = f"{source_port} {destination_port}"
        return f"PROXY TCP{source.version} {source} {destination} {ports}\r\n".encode("ascii")
    family = 0x11 if source.version == 4 else 0x21
    block = source.packed + destination.packed
    block += struct.pack("!HH", source_port, destination_port)
    block += _CLIENT_USES_TLS if tls else b""
    return _SIGNATURE + struct.pack("!BBH", _PROXY, family, len(block)) + block


def _mapped(address: IPAddress) -> IPAddress:
    return IPv6Address(f"::ffff:{address}") if address.version == 4 else address
