"""``--source``: the addresses that a load comes from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

MOST = 1 << 16
"""Addresses that may be given."""

Address = IPv4Address | IPv6Address


def source_addresses(text: str) -> list[str]:
    """Read addresses and ranges of addresses, separated by commas, without duplicates.

    >>> source_addresses("127.0.0.9,127.0.0.2-127.0.0.4")
    ['127.0.0.9', '127.0.0.2', '127.0.0.3', '127.0.0.4']
    """
    found: dict[str, None] = {}
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin = _address(first)
        end = _address(last) if dash else begin
        count = int(end) - int(begin) + 1
        if begin.version != end.version or count < 1:
            raise ValueError(f"{part!r} is no range: {end} does not follow {begin}")
        if len(found) + count > MOST:
            raise ValueError(f"more than {MOST:,} addresses")
        found.update(dict.fromkeys(str(begin + number) for number in range(count)))
    return [*found]


def _address(text: str) -> Address:
    try:
        return ip_address(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is not an address; give some as 127.0.0.2,127.0.0.3 or as "
            "127.0.0.2-127.0.0.9"
        ) from None
