"""Bytes of the wire, made by hand."""

from __future__ import annotations

from tlsdemo.trace.tls_names import RETRY_RANDOM

CHANGE = bytes.fromhex("140303000101")
"""A whole change_cipher_spec."""


def record(number: int, content: bytes, version: int = 0x0303) -> bytes:
    return bytes([number, *version.to_bytes(2, "big"), *len(content).to_bytes(2, "big")]) + content


def message(number: int, content: bytes = b"") -> bytes:
    return bytes([number]) + len(content).to_bytes(3, "big") + content


def handshake(*messages: bytes) -> bytes:
    return record(22, b"".join(messages))


CLIENT_HELLO = record(22, message(1, b"\3\3" + bytes(200)), 0x0301)
SERVER_HELLO = message(2, b"\3\3" + b"r" * 32 + bytes(40))
RETRY = message(2, b"\3\3" + RETRY_RANDOM + bytes(20))
