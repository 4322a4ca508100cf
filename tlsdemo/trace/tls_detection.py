"""Finds the beginning of TLS after plaintext, and shows an excerpt of the plaintext."""

from __future__ import annotations

import re

MAX_EXCERPT = 40
"""The maximum number of characters in an excerpt."""

_ANY = frozenset(range(256))
_MINOR_VERSIONS = frozenset(range(5))

# The bytes of a first record: type, version, length, and the first byte of its content.
_HELLO = (
    frozenset({22}), frozenset({3}), _MINOR_VERSIONS,
    frozenset(range(0x41)), _ANY,
    frozenset({1, 2}),
)  # fmt: skip
_ALERT = (
    frozenset({21}), frozenset({3}), _MINOR_VERSIONS,
    frozenset({0}), frozenset({2}),
    frozenset({1, 2}),
)  # fmt: skip
_PATTERNS = (_HELLO, _ALERT)

_MAY_BEGIN = re.compile(rb"[\x15\x16]")
_MAX_UNENCRYPTED = 1 << 14

_CHARACTER = re.compile(r"\\x[0-9a-f]{2}|\\.|.")
"""A character of an excerpt, or the escape of a byte."""

_ESCAPES = {"\r": "\\r", "\n": "\\n", "\t": "\\t", "\\": "\\\\"}


def find_tls(data: bytes) -> tuple[int, bool]:
    """Return the position in ``data`` where TLS begins, and whether that is certain.

    If it is not certain, the bytes from there on may be the beginning of a record, and have to be
    read again together with the next ones.  If there is no such beginning, the position is the end.
    """
    for found in _MAY_BEGIN.finditer(data):
        start = found.start()
        head = data[start : start + len(_HELLO)]
        if any(_matches(head, pattern) for pattern in _PATTERNS):
            if len(head) < len(_HELLO):
                return start, False
            if 0 < int.from_bytes(head[3:5], "big") <= _MAX_UNENCRYPTED:
                return start, True
    return len(data), False


def _matches(head: bytes, pattern: tuple[frozenset[int], ...]) -> bool:
    return all(byte in allowed for byte, allowed in zip(head, pattern, strict=False))


def excerpt(plaintext: bytes) -> str:
    """Return the beginning of ``plaintext`` in printable ASCII; other bytes are escaped."""
    text = ""
    for byte in plaintext:
        character = _character(byte)
        if len(text) + len(character) > MAX_EXCERPT:
            return f"{text}…"
        text += character
    return text


def join_excerpts(first: str, second: str) -> str:
    """Return the excerpt of two pieces of plaintext that follow each other, from those of each."""
    text = ""
    for character in _CHARACTER.findall(first + second):
        if character == "…" or len(text) + len(character) > MAX_EXCERPT:
            return f"{text}…"
        text += character
    return text


def _character(byte: int) -> str:
    character = chr(byte)
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isascii() and character.isprintable() else f"\\x{byte:02x}"
