"""The value of ``--alpn``."""

from __future__ import annotations

_LONGEST_ALPN = 255
"""Bytes of the name of a protocol (RFC 7301, section 3.1)."""


def alpn_names(text: str) -> list[str]:
    """Read ALPN protocols that are separated by commas; their form is that of RFC 7301."""
    names = text.split(",")
    for name in names:
        if not 1 <= len(name.encode()) <= _LONGEST_ALPN:
            what = f"with a name of {len(name.encode())} bytes, not 1 to {_LONGEST_ALPN}"
            raise ValueError(f"{what}; give names such as h2,http/1.1")
        if names.count(name) > 1:
            raise ValueError(f"with {name} more than once; name it once")
    return names
